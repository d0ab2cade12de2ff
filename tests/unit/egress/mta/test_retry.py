"""When a refused mail is tried again."""

from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import Failed
from egress.mta.retry import RetrySchedule

DAY_MS = 86_400_000
LATER = Failed(permanent=False, code="4.3.0", detail="RCPT: 451 4.3.0 not now")
SCHEDULE = RetrySchedule()


def waits(failed: Failed, chance: float = 0.5, left_ms: int = 7 * DAY_MS) -> list[int]:
    return [SCHEDULE.after(failed, attempt=n, left_ms=left_ms, chance=chance) // 1_000 for n in range(1, 11)]


def test_the_waits_double_from_minutes_to_hours() -> None:
    assert waits(LATER) == [120, 240, 480, 960, 1_920, 3_840, 7_680, 14_400, 14_400, 14_400]


def test_a_greylist_is_asked_again_sooner() -> None:
    for text in ("451 4.7.1 Greylisted, see postgrey", "450 4.2.0 Graylisting in action", "451 grey-listed"):
        assert waits(Failed(permanent=False, code="4.7.1", detail=text))[:3] == [70, 140, 280]


def test_what_the_peer_asks_for_is_kept() -> None:
    failed = Failed(permanent=False, code="4.7.1", detail="try again in 5 minutes", retry_after_ms=300_000)
    assert set(waits(failed, left_ms=1_000)) == {300}


@given(st.integers(1, 200), st.integers(-DAY_MS, 7 * DAY_MS), st.floats(0, 1, exclude_max=True))
def test_a_wait_ends_before_the_attempt_does_while_there_is_time(attempt: int, left_ms: int, chance: float) -> None:
    wait = SCHEDULE.after(LATER, attempt=attempt, left_ms=left_ms, chance=chance)
    assert SCHEDULE.least_ms <= wait <= SCHEDULE.most_ms * (1 + SCHEDULE.jitter)
    assert wait < left_ms or left_ms <= SCHEDULE.least_ms


@given(st.floats(0, 1, exclude_max=True))
def test_waits_are_spread(chance: float) -> None:
    assert 96 <= waits(LATER, chance)[0] <= 144
