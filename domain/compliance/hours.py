"""Times of day in the recipient's zone: the next moment at which a window is open."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.cascade.rule import DeliveryWindow

_MINUTE_MS = 60_000
_DAYS_AHEAD = 8
_CHANGE_MS = 3 * 60 * _MINUTE_MS
"""No clock change is larger; around one, times of day are looked at minute by minute."""


@lru_cache(maxsize=1_000)
def zone(name: str) -> ZoneInfo:
    """The zone with an IANA name; ZoneInfoNotFoundError or ValueError for none."""
    return ZoneInfo(name)


def is_open(at_ms: int, start_minute: int, end_minute: int, timezone: str, days: tuple[int, ...]) -> bool:
    """Whether `at_ms` lies in the window; one that wraps midnight belongs to the day that it starts on."""
    local = datetime.fromtimestamp(at_ms / 1000, zone(timezone))
    minute = local.hour * 60 + local.minute
    if start_minute < end_minute:
        return start_minute <= minute < end_minute and local.isoweekday() in days
    if minute >= start_minute:
        return local.isoweekday() in days
    return minute < end_minute and (local - timedelta(days=1)).isoweekday() in days


def next_opening_ms(at_ms: int, window: DeliveryWindow | None, timezone: str) -> int:
    """`at_ms` when the window is open then or there is none, otherwise the next moment at which it opens."""
    if window is None or window.start_minute == window.end_minute:
        return at_ms
    return next_open_ms(at_ms, window.start_minute, window.end_minute, timezone, window.days)


def next_open_ms(at_ms: int, start_minute: int, end_minute: int, timezone: str, days: tuple[int, ...]) -> int:
    """The first moment from `at_ms` on that lies in the window (at most eight days ahead: some day is allowed)."""
    if is_open(at_ms, start_minute, end_minute, timezone, days):
        return at_ms
    place = zone(timezone)
    local = datetime.fromtimestamp(at_ms / 1000, place)
    for ahead in range(_DAYS_AHEAD + 1):
        day = (local + timedelta(days=ahead)).date()
        opens = datetime(day.year, day.month, day.day, start_minute // 60, start_minute % 60, tzinfo=place)
        opens_ms = int(opens.astimezone(UTC).timestamp() * 1000)
        if _clock_changes(opens, place):
            found = _first_open_minute(max(at_ms, opens_ms - _CHANGE_MS), start_minute, end_minute, timezone, days)
            if found:
                return found
        elif day.isoweekday() in days and opens_ms > at_ms:
            return opens_ms
    return at_ms + _DAYS_AHEAD * 24 * 60 * _MINUTE_MS


def _clock_changes(opens: datetime, place: ZoneInfo) -> bool:
    """Whether the clock is set within hours of `opens`, so that its time of day may come twice or never."""
    before, after = opens - timedelta(hours=3), opens + timedelta(hours=3)
    return place.utcoffset(before) != place.utcoffset(after)


def _first_open_minute(from_ms: int, start_minute: int, end_minute: int, timezone: str, days: tuple[int, ...]) -> int:
    """The first whole minute after `from_ms` that is open, within six hours; zero for none."""
    first = (from_ms // _MINUTE_MS + 1) * _MINUTE_MS
    for at_ms in range(first, first + 2 * _CHANGE_MS, _MINUTE_MS):
        if is_open(at_ms, start_minute, end_minute, timezone, days):
            return at_ms
    return 0
