"""The sliding window of layer 3: what it counts, what it forgets, when it says that room will be."""

from hypothesis import given
from hypothesis import strategies as st

from agents.admission.limit import TICK_MS, TICKS, counted, limit_of, resets_ms, slide
from schemas.rows import RateWindow
from tests.unit.domain.given import NOW, key, tenant

SECOND_MS = TICK_MS * TICKS
steps = st.lists(st.integers(0, 400), max_size=60)


def after(arrivals: list[int]) -> RateWindow:
    """The window after items at these moments."""
    window: RateWindow | None = None
    for offset, at_ms in enumerate(arrivals):
        window = counted(slide(window, at_ms), offset)
    return window or slide(None, NOW)


def moments(waits: list[int]) -> list[int]:
    at, found = NOW, []
    for wait in waits:
        at += wait
        found.append(at)
    return found


def test_a_new_window_is_empty() -> None:
    window = slide(None, NOW)
    assert (sum(window.counts), len(window.counts), window.offset) == (0, TICKS, -1)


@given(steps, st.integers(0, 2_000))
def test_it_counts_what_came_in_the_last_ten_tenths_and_nothing_older(waits: list[int], later: int) -> None:
    arrivals = moments(waits)
    now = (arrivals[-1] if arrivals else NOW) + later
    window = slide(after(arrivals), now)
    newest = now // TICK_MS
    assert sum(window.counts) == sum(newest - at // TICK_MS < TICKS for at in arrivals)


@given(steps)
def test_no_more_than_the_limit_passes_in_any_second(waits: list[int]) -> None:
    limit, window, passed = 5, slide(None, NOW), list[int]()
    for offset, at in enumerate(moments(waits)):
        window = slide(window, at)
        if sum(window.counts) < limit:
            window = counted(window, offset)
            passed.append(at)
    for start in passed:
        assert sum(start <= at <= start + SECOND_MS - TICK_MS for at in passed) <= limit


@given(steps.filter(bool))
def test_it_tells_the_moment_at_which_its_oldest_item_leaves(waits: list[int]) -> None:
    arrivals = moments(waits)
    window = after(arrivals)
    moment = resets_ms(window, arrivals[-1])
    assert arrivals[-1] < moment <= arrivals[-1] + SECOND_MS
    assert sum(slide(window, moment - 1).counts) == sum(window.counts)
    assert sum(slide(window, moment).counts) < sum(window.counts)


def test_an_empty_window_has_room_at_once() -> None:
    assert resets_ms(slide(None, NOW), NOW) == NOW


def test_a_clock_that_steps_back_forgets_nothing() -> None:
    window = after([NOW, NOW, NOW])
    assert slide(window, NOW - 60_000) == window


def test_an_item_keeps_the_offset_that_it_was_counted_for() -> None:
    assert counted(slide(None, NOW), 42).offset == 42
    assert slide(counted(slide(None, NOW), 42), NOW + 60_000).offset == 42


def test_the_smaller_of_the_tenants_and_the_keys_rate_is_the_limit() -> None:
    assert limit_of(tenant(rate_per_s=100), None) == 100
    assert limit_of(tenant(rate_per_s=100), key(rate_per_s=0)) == 100
    assert limit_of(tenant(rate_per_s=100), key(rate_per_s=7)) == 7
    assert limit_of(tenant(rate_per_s=100), key(rate_per_s=700)) == 100
    assert limit_of(None, None) == 0
