"""Times and durations as clients write and read them: `30s`, `09:00`, RFC 3339; inside they are integers."""

import re
import time
from datetime import UTC, datetime
from functools import cache, lru_cache
from zoneinfo import available_timezones

DURATION_PATTERN = r"^[0-9]{1,9}(ms|s|m|h)$"
TIME_OF_DAY_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h)")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DAY_MINUTES = 24 * 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_KEPT = 256


def monotonic_ms() -> int:
    """Milliseconds by a clock that is never set; only spans of it mean something."""
    return time.monotonic_ns() // 1_000_000


def parse_duration(text: str) -> int | None:
    """The milliseconds of `500ms`, `30s`, `5m` or `24h`; None for anything else."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _UNIT_MS[match[2]] if match else None


def format_duration(duration_ms: int) -> str:
    """The shortest text that `parse_duration` reads as `duration_ms`."""
    for unit in ("h", "m", "s"):
        if duration_ms and duration_ms % _UNIT_MS[unit] == 0:
            return f"{duration_ms // _UNIT_MS[unit]}{unit}"
    return f"{duration_ms}ms"


def parse_rfc3339(text: str) -> int | None:
    """Milliseconds since 1970 of an RFC 3339 section 5.6 date-time; None without an offset or for no such moment."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    fraction = f"{match[3] or '.'}000"[:4]
    offset = "+00:00" if match[4] in "Zz" else match[4]
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}{fraction}{offset}")
    except ValueError:
        return None
    return round((moment - _EPOCH).total_seconds() * 1000)


def format_rfc3339(at_ms: int) -> str:
    """The moment in UTC with milliseconds, such as `2026-02-10T12:00:00.000Z`."""
    seconds, rest_ms = divmod(at_ms, 1_000)
    return f"{_utc(seconds)}.{rest_ms:03d}Z"


def parse_time_of_day(text: str) -> int | None:
    """Minutes after midnight of `09:00`; `24:00` is the end of the day. None for anything else."""
    match = _TIME_OF_DAY.fullmatch(text)
    if match is None:
        return None
    return int(match[1]) * 60 + int(match[2]) if match[1] else _DAY_MINUTES


def format_time_of_day(minute: int) -> str:
    """What `parse_time_of_day` reads as `minute`."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def is_timezone(name: str) -> bool:
    """Whether `name` is a zone of the IANA database."""
    return name in _zones()


@lru_cache(maxsize=_SECONDS_KEPT)
def _utc(at_s: int) -> str:
    """`2026-02-10T12:00:00`, made once for all that happens in that second."""
    return datetime.fromtimestamp(at_s, UTC).isoformat().removesuffix("+00:00")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
