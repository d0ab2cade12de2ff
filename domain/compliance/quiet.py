"""Quiet hours: which channels they bind, when they end, and how they narrow a step's delivery window."""

from functools import lru_cache

from domain.cascade.rule import DeliveryWindow
from domain.compliance.hours import next_open_ms
from domain.delivery import Channel
from domain.tenant import QuietHours

QUIET_CHANNELS: frozenset[Channel] = frozenset({"sms", "push", "whatsapp", "telegram"})
"""The channels that make a device ring; mail waits in its mailbox."""

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
_DAY_MINUTES = 24 * 60


def binds(quiet: QuietHours | None, channel: Channel) -> bool:
    """Whether a message on `channel` has to respect `quiet`; hours of no length bind nothing."""
    return quiet is not None and quiet.start_minute != quiet.end_minute and channel in QUIET_CHANNELS


def ends_ms(quiet: QuietHours, at_ms: int, timezone: str) -> int:
    """`at_ms` outside the quiet hours of a valid zone, otherwise the moment at which they end."""
    return next_open_ms(at_ms, quiet.end_minute, quiet.start_minute, timezone, EVERY_DAY)


@lru_cache(maxsize=1_000)
def narrowed(window: DeliveryWindow | None, quiet: QuietHours) -> DeliveryWindow | None:
    """The longest part of `window` outside `quiet`, both read in one zone; None when nothing is left of it.

    A part that begins after midnight in a window that wraps belongs to the day after, so its days move by one.
    """
    if window is None or window.start_minute == window.end_minute:
        days = EVERY_DAY if window is None else window.days
        return DeliveryWindow(quiet.end_minute, quiet.start_minute, "recipient", days)
    length = (window.end_minute - window.start_minute) % _DAY_MINUTES or _DAY_MINUTES
    loud = (quiet.start_minute - quiet.end_minute) % _DAY_MINUTES
    best_start, best_length = 0, 0
    run_start, run_length = 0, 0
    for offset in range(length):
        minute = (window.start_minute + offset) % _DAY_MINUTES
        if (minute - quiet.end_minute) % _DAY_MINUTES >= loud:
            run_length = 0
            continue
        if not run_length:
            run_start = offset
        run_length += 1
        if run_length > best_length:
            best_start, best_length = run_start, run_length
    if not best_length:
        return None
    start = window.start_minute + best_start
    days = tuple(sorted(d % 7 + 1 for d in window.days)) if start >= _DAY_MINUTES else window.days
    end = (start + best_length) % _DAY_MINUTES
    return DeliveryWindow(start % _DAY_MINUTES, end, window.timezone, days)
