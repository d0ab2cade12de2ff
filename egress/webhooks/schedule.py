"""When a callback that failed is tried again: the delays of Standard Webhooks, some jitter, and the receiver's wish."""

from datetime import UTC
from email.utils import parsedate_to_datetime

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS

DELAYS_MS: tuple[int, ...] = (
    5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, *(10 * HOUR_MS for _ in range(6)),
)  # fmt: skip
"""After the first failure, the second …: twelve attempts over almost three days."""
JITTER = 0.2
"""A delay is up to this part shorter or longer, so that what failed together does not come back together."""
MAX_RETRY_AFTER_MS = 24 * HOUR_MS
RETRY_AFTER_STATUS = frozenset({429, 503})


def next_delay_ms(delays_ms: tuple[int, ...], attempts: int, chance: float, wish_ms: int) -> int | None:
    """How long to wait after failed attempt number `attempts`, counted from 1; None when it was the last.

    `chance` is in [-1, 1]; `wish_ms` is the receiver's Retry-After, zero for none: the wait is never shorter than it.
    """
    if attempts > len(delays_ms):
        return None
    return max(round(delays_ms[attempts - 1] * (1 + JITTER * chance)), min(wish_ms, MAX_RETRY_AFTER_MS))


def retry_after_ms(status: int, header: str | None, now_ms: int) -> int:
    """What Retry-After asks for (RFC 9110 section 10.2.3: seconds, or a date); zero for none or nonsense."""
    if header is None or status not in RETRY_AFTER_STATUS:
        return 0
    text = header.strip()[:64]
    if text.isascii() and text.isdigit():
        return min(int(text) * SECOND_MS, MAX_RETRY_AFTER_MS)
    try:
        at = parsedate_to_datetime(text)
        at_ms = round(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
    return min(max(at_ms - now_ms, 0), MAX_RETRY_AFTER_MS)
