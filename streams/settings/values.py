"""The kinds of value in the settings: durations, times of day, names, prefixes, files."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo

STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
"""Every table of the file: an unknown key is refused, and no error repeats a value, which may be a password."""

FOLDER = "folder"
"""The key of the validation context under which the folder of the file is."""

SANDBOX = "sandbox"
"""The simulated carrier and the pool of the simulated mail host: reserved."""

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d{1,9})(ms|s|m|h|d)")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_PREFIX = re.compile(r"\+[1-9]\d{0,14}")
_NUMBER = re.compile(r"(?:\+[1-9]\d{5,14}|\d{3,8})(?: [^\s\d+]\S{0,29})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_URL = re.compile(r"https?://[^\s/@]+(/\S*)?")


def duration_ms(value: object) -> int:
    """Milliseconds of `500ms`, `30s`, `10m`, `1h` or `7d`; ValueError."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a duration is a number and ms, s, m, h or d, as in 30s")
    return int(found[1]) * _UNITS_MS[found[2]]


def duration_text(value_ms: int) -> str:
    """The shortest way to write a duration."""
    unit = next(u for u in ("d", "h", "m", "s", "ms") if value_ms % _UNITS_MS[u] == 0)
    if value_ms == 24 * _UNITS_MS["h"]:
        unit = "h"
    return f"{value_ms // _UNITS_MS[unit]}{unit}"


def _minute(value: object) -> int:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a time of day is written as in 21:00")
    return int(found[1]) * 60 + int(found[2])


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("a name has 1 to 40 of a-z, 0-9 and -, and begins with a letter or digit")
    return value


def _prefix(value: str) -> str:
    if value and not _PREFIX.fullmatch(value):
        raise ValueError("a prefix is + and digits, as in +45, or empty for every number")
    return value


def _number(value: str) -> str:
    if not _NUMBER.fullmatch(value):
        raise ValueError(
            "a number is +4512345678, a short code as in 1245, or either with a word behind it, as in 1245 NEWS"
        )
    return value


def _currency(value: str) -> str:
    if not _CURRENCY.fullmatch(value):
        raise ValueError("a currency is three capital letters (ISO 4217), as in EUR")
    return value


def _url(value: str) -> str:
    if value and not _URL.fullmatch(value):
        raise ValueError("a URL begins with https:// or http:// and has a host and no user in it")
    return value


def _file(value: Path, info: ValidationInfo) -> Path:
    """The absolute path of a file named relative to the settings file."""
    folder = (info.context or {}).get(FOLDER)
    path = (Path(folder) / value if folder is not None else value).absolute()
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


DurationMs = Annotated[int, BeforeValidator(duration_ms)]
MinuteOfDay = Annotated[int, BeforeValidator(_minute)]
Name = Annotated[str, AfterValidator(_name)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Number = Annotated[str, AfterValidator(_number)]
Currency = Annotated[str, AfterValidator(_currency)]
Url = Annotated[str, AfterValidator(_url)]
ExistingFile = Annotated[Path, AfterValidator(_file)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Micros = Annotated[int, Field(ge=0, le=10**15)]
Text = Annotated[str, Field(max_length=200)]
