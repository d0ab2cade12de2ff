"""The times of SMPP: sixteen characters, absolute or relative (section 7.1.1), and the shorter dates of receipts."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

TIME_OCTETS: Final = 16
MAX_OFFSET_QUARTERS: Final = 48
CENTURY_PIVOT: Final = 38  # Appendix C: years below it are 20xx

_DAYS_OF_YEAR: Final = 365
_DAYS_OF_MONTH: Final = 30


def parse(text: str, now: datetime) -> datetime | None:
    """The moment that `YYMMDDhhmmsstnnp` names, counted from `now` if it is relative; None when it is malformed."""
    if len(text) != TIME_OCTETS or not text.isascii() or not text[:15].isdigit() or text[15] not in "+-R":
        return None
    year, month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(0, 12, 2))
    if text[15] == "R":
        days = year * _DAYS_OF_YEAR + month * _DAYS_OF_MONTH + day
        return now + timedelta(days=days, hours=hour, minutes=minute, seconds=second)
    quarters = int(text[13:15])
    if quarters > MAX_OFFSET_QUARTERS:
        return None
    offset = timedelta(minutes=15 * quarters) * (1 if text[15] == "+" else -1)
    return _moment(_century(year), month, day, hour, minute, second, int(text[12]) * 100_000, timezone(offset))


def format_absolute(moment: datetime) -> str:
    """The absolute form in UTC."""
    utc = moment.astimezone(UTC)
    return f"{utc:%y%m%d%H%M%S}{utc.microsecond // 100_000}00+"


def format_relative(span: timedelta) -> str:
    """The relative form, which no clock or zone of the peer can shift; capped at 99 days, at least one second."""
    seconds = max(1, int(span.total_seconds()))
    days, seconds = divmod(seconds, 86_400)
    if days > 99:
        days, seconds = 99, 0
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    return f"0000{days:02d}{hours:02d}{minutes:02d}{seconds:02d}000R"


def parse_receipt_date(text: str, near: datetime) -> datetime | None:
    """A date of a receipt in 10, 12 or 14 digits (with seconds, or with the century): the valid reading nearest to `near`.

    Appendix B has ten, `YYMMDDhhmm`. The carrier's zone is its own: the answer carries the zone of `near`. None for zeros.
    """
    if not text.isascii() or not text.isdigit() or not text.strip("0"):
        return None
    readings = [reading for reading in _readings(text, near) if reading is not None]
    return min(readings, key=lambda reading: abs(reading - near), default=None)


def _readings(text: str, near: datetime) -> tuple[datetime | None, ...]:
    zone = near.tzinfo
    pairs = [int(text[at : at + 2]) for at in range(0, len(text) - 1, 2)]
    match pairs if len(text) % 2 == 0 else []:
        case [year, month, day, hour, minute]:
            return (_moment(_century(year), month, day, hour, minute, 0, 0, zone),)
        case [a, b, c, d, e, f]:
            return (
                _moment(_century(a), b, c, d, e, f, 0, zone),
                _moment(a * 100 + b, c, d, e, f, 0, 0, zone),
            )
        case [century, year, month, day, hour, minute, second]:
            return (_moment(century * 100 + year, month, day, hour, minute, second, 0, zone),)
        case _:
            return ()


def _century(year: int) -> int:
    return year + (2000 if year < CENTURY_PIVOT else 1900)


def _moment(
    year: int, month: int, day: int, hour: int, minute: int, second: int, microsecond: int, zone: tzinfo | None
) -> datetime | None:
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, zone)
    except ValueError:
        return None
