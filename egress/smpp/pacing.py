"""When the next segment may go: the account's rate, and slowing down when the carrier says ESME_RTHROTTLED.

A throttle answer pauses everything for a moment, longer each time it comes again, and lowers the rate below the one that was
too fast; the rate then climbs back. Many answers to one burst count once. Times are milliseconds of a monotonic clock.
"""

from math import ceil
from typing import Final

FIRST_PAUSE_MS: Final = 100
MAX_PAUSE_MS: Final = 2_000
SLOW_DOWN: Final = 0.7
CLIMB: Final = 1.25  # a second without a throttle answer
CLIMB_EVERY_MS: Final = 1_000
LOWEST_RATE: Final = 20.0  # below this a pause alone is answer enough
BURSTS_PER_SECOND: Final = 10  # a bucket holds a tenth of a second


class Pacer:
    """The token bucket of one account; `tps` is its contract, zero for none."""

    __slots__ = (
        "_climbed_ms",
        "_count",
        "_last_ms",
        "_paused_until_ms",
        "_previous",
        "_rate",
        "_second",
        "_streak",
        "_tokens",
        "_tps",
    )

    def __init__(self, tps: int) -> None:
        self._tps = float(tps)
        self._rate = float(tps)  # what holds now, zero for no limit
        self._tokens = 1.0
        self._last_ms = 0
        self._paused_until_ms = 0
        self._streak = 0
        self._climbed_ms = 0
        self._second = self._count = self._previous = 0

    @property
    def rate(self) -> float:
        """Segments a second that may go now, zero for no limit."""
        return self._rate

    def wait_ms(self, now_ms: int) -> int:
        """How long until a segment may go, zero if one may go now."""
        if now_ms < self._paused_until_ms:
            return self._paused_until_ms - now_ms
        if self._rate != self._tps:
            self._climb(now_ms)
        if not self._rate:
            return 0
        gained = (now_ms - self._last_ms) * self._rate / 1000
        self._tokens = min(max(1.0, self._rate / BURSTS_PER_SECOND), self._tokens + gained)
        self._last_ms = now_ms
        return 0 if self._tokens >= 1.0 else ceil((1.0 - self._tokens) * 1000 / self._rate)

    def sent(self, now_ms: int) -> None:
        """A segment went."""
        if self._rate:
            self._tokens -= 1.0
        second = now_ms // 1000
        if second != self._second:
            self._previous = self._count if second == self._second + 1 else 0
            self._second, self._count = second, 0
        self._count += 1

    def accepted(self) -> None:
        """A segment was taken: the next throttle answer begins with a short pause again."""
        self._streak = 0

    def throttled(self, now_ms: int) -> int:
        """The carrier said too fast; the answer is the pause that follows, zero if one is already being kept."""
        if now_ms < self._paused_until_ms:
            return 0
        pause_ms: int = min(MAX_PAUSE_MS, FIRST_PAUSE_MS << min(self._streak, 8))
        self._streak += 1
        observed = float(max(self._count, self._previous))
        speed = min(self._rate, observed) if self._rate else observed
        if speed > LOWEST_RATE:
            self._rate = max(LOWEST_RATE, speed * SLOW_DOWN)
            self._tokens = min(self._tokens, 1.0)
        self._paused_until_ms = now_ms + pause_ms
        self._climbed_ms = self._last_ms = self._paused_until_ms
        return pause_ms

    def _climb(self, now_ms: int) -> None:
        """Back towards the contract; without one, the limit goes once it is twice what is really being sent."""
        while now_ms - self._climbed_ms >= CLIMB_EVERY_MS and self._rate != self._tps:
            self._climbed_ms += CLIMB_EVERY_MS
            self._rate *= CLIMB
            reached = (
                self._rate >= self._tps if self._tps else self._rate > 2 * max(self._count, self._previous, LOWEST_RATE)
            )
            if reached:
                self._rate = self._tps
