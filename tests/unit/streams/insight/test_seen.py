"""What insight reads from a status record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cascade.events import AttemptFailed, AttemptSent, CancelAsked, Happening, ReceiptArrived, TimerFired
from domain.cascade.states import FINAL
from schemas.catalogue import codec
from schemas.codec import UnreadableError
from streams.insight.seen import StatusReader
from tests.unit.streams.insight.statuses import Story, begun, plan

T = 1_700_000_000_000
CODEC = codec()
READER = StatusReader(CODEC)


def sent(attempt: int) -> AttemptSent:
    return AttemptSent("m", attempt, T + 10, "telia", ("p1",), "sent", 1, 4_000, 3_000)


def failed(attempt: int, permanent: bool) -> AttemptFailed:
    return AttemptFailed("m", attempt, T + 10, "telia", permanent, "8", "")


def receipt(attempt: int, good: bool) -> ReceiptArrived:
    return ReceiptArrived("m", attempt, T + 20, "telia", "delivered" if good else "failed", "000", 1, 4_000, 3_000)


def states(story: Story) -> list[tuple[str, ...]]:
    return [READER.read(CODEC.encode(told)).states for told in story.told]


def test_the_first_status_counts_as_accepted_and_the_final_one_as_its_state() -> None:
    story = begun("m", "t1", T, plan(""))
    story.happens(sent(1))
    story.happens(receipt(1, good=True))
    assert [told.event for told in story.told] == ["attempting", "sent", "delivered"]
    assert states(story) == [("accepted",), (), ("delivered",)]
    seen = READER.read(CODEC.encode(story.told[-1]))
    assert (seen.tenant_id, seen.channel, seen.at_ms) == ("t1", "sms", T + 20)


def test_a_message_without_a_step_to_try_is_accepted_and_exhausted_at_once() -> None:
    story = begun("m", "t1", T, plan("opted_out", "no_address"))
    assert states(story) == [("accepted", "exhausted")]


def test_a_scheduled_message_is_accepted_once_though_its_attempt_comes_later() -> None:
    story = begun("m", "t1", T, plan("", send_at_ms=T + 60_000))
    story.happens(TimerFired("m", story.state.timer, T + 60_000))
    assert [told.event for told in story.told] == ["scheduled", "attempting"]
    assert states(story) == [("accepted",), ()]


def test_a_deferral_is_the_first_status_only_when_nothing_but_skips_came_before() -> None:
    first = begun("m", "t1", T, plan("opted_out", "", not_before_ms=T + 1_000))
    assert [told.event for told in first.told] == ["deferred"]
    assert states(first) == [("accepted",)]
    later = begun("m", "t1", T, plan("", not_before_ms=T + 90_000, send_at_ms=T + 60_000))
    later.happens(TimerFired("m", later.state.timer, T + 60_000))
    assert [told.event for told in later.told] == ["scheduled", "deferred"]
    assert states(later) == [("accepted",), ()]


happenings: st.SearchStrategy[Happening] = st.one_of(
    st.integers(1, 6).map(sent),
    st.builds(failed, st.integers(1, 6), st.booleans()),
    st.builds(receipt, st.integers(1, 6), st.booleans()),
    st.builds(lambda n: TimerFired("m", n, T + 500 * n), st.integers(1, 12)),
    st.just(CancelAsked("m", "t1", "a", 0, T + 30)),
)


@given(
    st.lists(st.sampled_from(["", "", "opted_out"]), min_size=1, max_size=4),
    st.sampled_from([0, T + 60_000]),
    st.sampled_from([0, T + 90_000]),
    st.lists(happenings, max_size=25),
)
def test_whatever_happens_exactly_the_first_status_is_accepted_and_the_end_is_counted_once(
    skips: list[str], send_at_ms: int, not_before_ms: int, events: list[Happening]
) -> None:
    story = begun("m", "t1", T, plan(*skips, send_at_ms=send_at_ms, not_before_ms=not_before_ms, max_retries=1))
    for event in events:
        story.happens(event)
    counted = states(story)
    assert ["accepted" in each for each in counted] == [True] + [False] * (len(counted) - 1)
    ends = [state for each in counted for state in each if state in FINAL]
    assert ends == ([story.state.state] if story.state.is_final else [])


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x00\x00",
        b"\x01\x00\x00\x00\x01abc",
        b"\x00\x7f\xff\xff\xff",
        b"junk!",
        CODEC.encode(begun("m", "t1", T, plan("")).told[0])[:20],
    ],
)
def test_what_is_no_status_is_unreadable(octets: bytes) -> None:
    with pytest.raises(UnreadableError):
        READER.read(octets)


def test_another_record_of_ours_is_unreadable_too() -> None:
    with pytest.raises(UnreadableError, match=r"not hermes\.StatusChanged"):
        READER.read(CODEC.encode(sent(1)))
