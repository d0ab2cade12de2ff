"""How far the clock of a signature may be from ours: an old one is a replay."""

from typing import Final

TOLERANCE_MS: Final = 300_000
MAX_DIGITS: Final = 16


def is_recent(written: str, now_ms: int, *, unit_ms: int = 1_000, tolerance_ms: int = TOLERANCE_MS) -> bool:
    """Whether the decimal time `written`, in units of `unit_ms`, is within the tolerance of `now_ms`, both since the epoch."""
    if not 0 < len(written) <= MAX_DIGITS or not (written.isascii() and written.isdigit()):
        return False
    return abs(int(written) * unit_ms - now_ms) <= tolerance_ms
