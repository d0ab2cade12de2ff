"""When callbacks are tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress.webhooks.schedule import DELAYS_MS, HOUR_MS, JITTER, MAX_RETRY_AFTER_MS, next_delay_ms, retry_after_ms

NOW_MS = 1_700_000_000_000


def test_the_delays_are_those_of_the_standard_and_end() -> None:
    delays = [next_delay_ms(DELAYS_MS, n, 0.0, 0) for n in range(1, 13)]
    assert delays == [5_000, 300_000, 1_800_000, 2 * HOUR_MS, 5 * HOUR_MS, *[10 * HOUR_MS] * 6, None]


@given(st.integers(1, len(DELAYS_MS)), st.floats(-1, 1), st.integers(0, 10**12))
def test_jitter_stays_in_its_bounds_and_the_receivers_wish_is_honoured(n: int, chance: float, wish: int) -> None:
    delay = next_delay_ms(DELAYS_MS, n, chance, wish)
    assert delay is not None
    assert delay >= min(wish, MAX_RETRY_AFTER_MS)
    assert (1 - JITTER) * DELAYS_MS[n - 1] <= delay <= max((1 + JITTER) * DELAYS_MS[n - 1], MAX_RETRY_AFTER_MS)


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        (429, "120", 120_000),
        (503, " 1 ", 1_000),
        (503, "Tue, 14 Nov 2023 22:14:20 GMT", 60_000),
        (503, "Tue, 14 Nov 2023 22:10:00 GMT", 0),
        (503, "Tue, 14 Nov 2023 22:14:20 -0000", 60_000),
        (429, "9" * 60, MAX_RETRY_AFTER_MS),
        (429, "-5", 0),
        (429, "soon", 0),
        (429, "٣", 0),
        (429, None, 0),
        (500, "120", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_nonsense_is_nothing(
    status: int, header: str | None, expected: int
) -> None:
    assert retry_after_ms(status, header, NOW_MS) == expected


DATES = st.from_regex(
    r"([A-Z][a-z]{2}, )?[0-9]{1,2} (Jan|Nov|Xyz|12) [0-9]{1,5} [0-9:.]{0,9} [-+]?[0-9A-Z]{0,6}", fullmatch=True
)


@given(st.text(max_size=80) | DATES)
def test_no_header_makes_it_raise(header: str) -> None:
    assert 0 <= retry_after_ms(503, header, NOW_MS) <= MAX_RETRY_AFTER_MS
