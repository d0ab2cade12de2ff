"""The pace of an account, in virtual time."""

from hypothesis import given
from hypothesis import strategies as st

from egress.smpp.backoff import LOWEST_MS, MAX_MS, full_jitter
from egress.smpp.pacing import LOWEST_RATE, MAX_PAUSE_MS, Pacer


def run(pacer: Pacer, begin_ms: int, end_ms: int, wanted_per_ms: int = 10) -> int:
    """Send as fast as the pacer lets, at most so many a millisecond; the answer is how many went."""
    sent = 0
    for now_ms in range(begin_ms, end_ms):
        for _ in range(wanted_per_ms):
            if pacer.wait_ms(now_ms):
                break
            pacer.sent(now_ms)
            sent += 1
    return sent


def test_without_a_rate_nothing_waits() -> None:
    pacer = Pacer(0)
    assert run(pacer, 0, 100) == 1_000


@given(st.integers(1, 2_000))
def test_a_rate_is_kept_over_any_second(tps: int) -> None:
    pacer = Pacer(tps)
    run(pacer, 1_000, 2_000)
    assert abs(run(pacer, 2_000, 4_000) - 2 * tps) <= max(2, tps // 10)


def test_a_wait_is_long_enough() -> None:
    pacer = Pacer(10)
    run(pacer, 1_000, 1_001)
    wait_ms = pacer.wait_ms(1_001)
    assert 90 <= wait_ms <= 100
    assert pacer.wait_ms(1_001 + wait_ms) == 0


def test_a_burst_of_throttle_answers_is_one_pause_and_repeated_ones_grow() -> None:
    pacer = Pacer(0)
    assert [pacer.throttled(1_000), pacer.throttled(1_050)] == [100, 0]
    assert pacer.wait_ms(1_040) == 60
    assert [pacer.throttled(1_100), pacer.throttled(1_300)] == [200, 400]
    now_ms = 10_000
    for _ in range(20):
        pause_ms = pacer.throttled(now_ms)
        now_ms += pause_ms
    assert pause_ms == MAX_PAUSE_MS
    pacer.accepted()
    assert pacer.throttled(now_ms) == 100


def test_the_rate_falls_below_what_was_too_fast_and_climbs_back() -> None:
    pacer = Pacer(1_000)
    run(pacer, 1_000, 3_000)
    pacer.throttled(3_000)
    assert 600 <= pacer.rate <= 750
    assert run(pacer, 3_100, 4_100) <= 800
    run(pacer, 4_100, 10_000)
    assert pacer.rate == 1_000


def test_an_account_without_a_rate_gets_one_for_a_while() -> None:
    pacer = Pacer(0)
    run(pacer, 1_000, 3_000, wanted_per_ms=1)
    pacer.throttled(3_000)
    assert 600 <= pacer.rate <= 750
    run(pacer, 3_100, 20_000, wanted_per_ms=1)
    assert pacer.rate == 0


def test_at_a_trickle_a_pause_is_all() -> None:
    pacer = Pacer(0)
    pacer.sent(1_000)
    pacer.throttled(1_010)
    assert pacer.rate == 0
    fast = Pacer(0)
    for now_ms in range(1_000, 60_000, 10):
        fast.sent(now_ms)
        fast.throttled(now_ms)
    assert fast.rate == 0 or fast.rate >= LOWEST_RATE


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_wait_before_a_bind_is_jittered_and_bounded(failures: int, chance: float) -> None:
    assert LOWEST_MS <= full_jitter(failures, lambda: chance) <= MAX_MS
    assert full_jitter(1, lambda: 1.0) == 1_000
    assert full_jitter(4, lambda: 0.5) == 4_000
