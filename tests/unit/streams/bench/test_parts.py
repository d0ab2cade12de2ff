"""The pure parts of the measurements: silences, transitions, refusals, and the state that is written again and again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cascade.events import AttemptFailed, AttemptSent
from domain.cascade.states import Cascade
from schemas.catalogue import codec
from streams.bench.finals import Ends
from streams.bench.gaps import longest_gap
from streams.bench.lane import Lane
from streams.bench.overload import overload_lines
from streams.bench.plan import Told
from streams.bench.result import BenchError
from streams.bench.seed import fill, sample
from streams.bench.steps import transitions_ms
from streams.bench.two import lines_of
from streams.bench.world import message_id, tenant_id
from tables.catalogue import CASCADE_ROWS
from tables.partition import Partition
from tables.store import MemoryStore

NOW_MS = 1_790_000_000_000


@given(st.lists(st.integers(0, 100)))
def test_the_longest_gap_is_that_between_neighbours_and_the_ends(moments: list[int]) -> None:
    gap = longest_gap(moments, 10, 60)

    inside = {10, 60} | {moment for moment in moments if 10 < moment < 60}
    assert any({at, at + gap} <= inside for at in inside)
    assert not any(at + gap < 60 and inside.isdisjoint(range(at + 1, at + gap + 1)) for at in inside)


def test_silence_to_the_very_end_is_a_gap() -> None:
    assert longest_gap([], 0, 7) == 7
    assert longest_gap([1, 2, 3], 0, 20) == 17


def test_each_phase_has_its_own_longest_gaps() -> None:
    told = Told(ids=["msg-000000000064", "msg-000000000190"], accepted_ms=[110, 410])
    ends = Ends({"msg-000000000064": 150, "msg-000000000190": 460, "msg-0000000001f4": 520})

    lines = lines_of((100, 200, 400, 600), told, ends)

    assert [line.value for line in lines] == [90, 50, 200, 200, 190, 80, 0, 60]


def test_a_transition_is_from_the_failure_to_the_moment_its_carrier_took_it() -> None:
    def failed(name: str) -> AttemptFailed:
        return AttemptFailed(name, 1, 0, "c", True, "x", "")

    def sent(name: str, provider_id: str) -> AttemptSent:
        return AttemptSent(name, 2, 0, "c", (provider_id,), "sent", 1, 0, 0)

    happened = [(failed("a"), 1_000), (failed("b"), 1_001), (sent("a", "0"), 1_050), (sent("c", "1"), 1_060)]

    assert transitions_ms(happened, {"0": 1_004_500, "1": 1_005_000}) == [4.5]


def test_refusals_are_told_by_status_and_have_to_say_when_to_come_again() -> None:
    told = Told(
        requests=10, messages=6, ended_ms=1_000, latencies_ms=[5.0] * 6, refused_ms=[1.0] * 4,
        statuses={202: 6, 503: 3, 429: 1},
    )  # fmt: skip

    found = {line.what: line.value for line in overload_lines("part", told, last_ms=3_500)}

    assert found["accepted"] == 60
    assert found["refused with 503 and Retry-After"] == 30
    assert found["refused with 429 and Retry-After"] == 10
    assert found["from the last answer to the last final state"] == 2.5
    told.without_retry_after = 1
    with pytest.raises(BenchError, match="Retry-After"):
        overload_lines("part", told, 0)


def test_a_message_goes_through_the_lane_to_its_end() -> None:
    lane = Lane(MemoryStore(), 2, NOW_MS)
    lane.open_accounts()
    lane.send(0, 4)

    states = [lane.driver.engine.partitions[0].get(CASCADE_ROWS, message_id(number)) for number in range(4)]

    assert [state.state for state in states if isinstance(state, Cascade)] == ["delivered"] * 4
    assert {state.tenant_id for state in states if isinstance(state, Cascade)} == {tenant_id(0), tenant_id(1)}


def test_state_that_is_written_again_is_that_of_as_many_messages() -> None:
    store, one = MemoryStore(), sample(NOW_MS)
    fill(store, one, 5, 2)
    partition = Partition(0, store, codec())

    assert partition.load_timers() == 5
    for number in range(5):
        state = partition.get(CASCADE_ROWS, message_id(number))
        assert state is not None
        assert (state.message_id, state.tenant_id, state.state) == (
            message_id(number),
            tenant_id(number % 2),
            "delivered",
        )
    assert {topic for topic, *_ in one.logged} >= {CASCADE_ROWS.changelog.name, "hermes.submits.v1"}
