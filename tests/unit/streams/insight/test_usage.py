"""The window of insight: buckets, idempotent counts, forgetting, answers."""

from hypothesis import given
from hypothesis import strategies as st

from streams.insight.usage import HORIZON_MINUTES, MINUTE_MS, Line, Minutes, Row, bucket, counted, lines, row_key

NOW = 28_000_000 * MINUTE_MS + 17_000
MINUTE = 28_000_000


def test_an_event_counts_in_its_own_minute() -> None:
    assert bucket(NOW - 17_000, NOW) == MINUTE
    assert bucket(NOW - 17_001, NOW) == MINUTE - 1


def test_an_event_from_a_clock_ahead_counts_now_and_one_beyond_the_horizon_does_not_count() -> None:
    assert bucket(NOW + 10 * MINUTE_MS, NOW) == MINUTE
    assert bucket(NOW - (HORIZON_MINUTES - 1) * MINUTE_MS, NOW) == MINUTE - HORIZON_MINUTES + 1
    assert bucket(NOW - HORIZON_MINUTES * MINUTE_MS, NOW) is None


@given(st.lists(st.integers(0, 30), max_size=40))
def test_records_that_come_again_change_nothing(resumptions: list[int]) -> None:
    """Offsets 0 to 30, and after any of them the reader may start again from an earlier one."""
    row: Row | None = None
    deliveries = [o for start in (*resumptions, 0) for o in range(start + 1)] + list(range(31))
    highest = -1
    for offset in deliveries:
        if offset > highest + 1:
            continue
        row = counted(row, offset, {"sms.accepted": 2}) or row
        highest = max(highest, offset)
    assert row == {"offset": 30, "counts": {"sms.accepted": 62}}


def test_counting_leaves_the_old_row_as_it_was() -> None:
    before: Row = {"offset": 1, "counts": {"sms.accepted": 1}}
    assert counted(before, 2, {"sms.accepted": 4, "sms.exhausted": 3}) == {
        "offset": 2,
        "counts": {"sms.accepted": 5, "sms.exhausted": 3},
    }
    assert before == {"offset": 1, "counts": {"sms.accepted": 1}}


def test_an_answer_adds_the_partitions_up_and_names_nobody_else() -> None:
    rows: dict[str, Row] = {
        row_key(MINUTE, 0, "t1"): {"offset": 5, "counts": {"sms.accepted": 2}},
        row_key(MINUTE, 1, "t1"): {"offset": 9, "counts": {"sms.accepted": 3, "email.delivered": 1}},
        row_key(MINUTE - 1, 1, "t1"): {"offset": 8, "counts": {"sms.accepted": 7}},
        row_key(MINUTE, 2, "t1"): {"offset": 8, "counts": {"sms.accepted": 100}},
        row_key(MINUTE, 0, "t2"): {"offset": 8, "counts": {"sms.accepted": 100}},
    }
    at = MINUTE * MINUTE_MS
    assert lines(rows, "t1", 2, (0, 1), NOW) == (
        Line(at - MINUTE_MS, "t1", "sms", "accepted", 7),
        Line(at, "t1", "email", "delivered", 1),
        Line(at, "t1", "sms", "accepted", 5),
    )
    assert [line.count for line in lines(rows, "t1", 1, (0,), NOW)] == [2]


def test_minutes_beyond_the_horizon_are_forgotten() -> None:
    minutes = Minutes()
    old, new = row_key(MINUTE - HORIZON_MINUTES, 0, "t"), row_key(MINUTE - HORIZON_MINUTES + 1, 0, "t")
    minutes.rebuild([old, new])
    assert minutes.outdated(NOW) == [old]
    assert (len(minutes), minutes.since) == (1, MINUTE - HORIZON_MINUTES + 1)


def test_too_many_rows_make_the_oldest_minutes_go_first() -> None:
    minutes = Minutes(max_rows=2)
    for minute in (MINUTE, MINUTE - 2, MINUTE - 1):
        minutes.add(row_key(minute, 0, "t"))
    assert minutes.outdated(NOW) == [row_key(MINUTE - 2, 0, "t")]
    assert minutes.since == MINUTE - 1
    assert minutes.outdated(NOW) == []
