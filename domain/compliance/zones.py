"""Whether a stranger's text names a time zone; nothing but an IANA name reaches the zone files."""

import re
from functools import lru_cache
from zoneinfo import ZoneInfoNotFoundError

from domain.compliance.hours import zone

MAX_ZONE_CHARS = 64
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")


@lru_cache(maxsize=1_000)
def is_zone(name: str) -> bool:
    """Whether `name` is an IANA zone (`Europe/Copenhagen`, `UTC`); a directory of zones (`America`) is none."""
    if len(name) > MAX_ZONE_CHARS or not _NAME.fullmatch(name):
        return False
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
