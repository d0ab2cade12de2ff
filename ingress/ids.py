"""UUIDs that sort by the time at which they were made: version 7 of RFC 9562, section 5.7."""

import os
import time
from collections.abc import Callable

CHANCE_OCTETS = 4_096
"""Octets of chance that are asked for at once: a system call for each id would cost as much as the rest of it."""

_DIGITS = 15
"""Hex digits of chance in an id."""


class Uuid7:
    """Each call answers a new one with dashes, higher than the one before. For one thread.

    48 bits of milliseconds, 12 bits of their fraction (section 6.2, method 3), and 60 bits of chance.
    """

    def __init__(self, now_ns: Callable[[], int] = time.time_ns, chance: Callable[[int], bytes] = os.urandom) -> None:
        self._now_ns = now_ns
        self._chance = chance
        self._digits = ""
        self._at = 0
        self._last = 0

    def __call__(self) -> str:
        """The 36 characters."""
        at = self._at
        digits = self._digits[at : at + _DIGITS]
        if len(digits) < _DIGITS:
            self._digits, at = self._chance(CHANCE_OCTETS).hex(), 0
            digits = self._digits[:_DIGITS]
        self._at = at + _DIGITS
        # time in 1/4096 ms; a clock that stands still or steps back goes on counting
        self._last = moment = max((self._now_ns() << 12) // 1_000_000, self._last + 1)
        time_ = f"{moment:015x}"
        return f"{time_[:8]}-{time_[8:12]}-7{time_[12:]}-8{digits[:3]}-{digits[3:]}"
