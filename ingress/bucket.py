"""A token bucket: so many at once, and so many a second after that."""

import math
from collections.abc import Callable


class Bucket:
    """Full at first. `now_ms` is a monotonic clock in milliseconds."""

    def __init__(self, rate_per_s: float, burst: int, now_ms: Callable[[], int]) -> None:
        self._rate_per_ms = rate_per_s / 1000
        self._burst = burst
        self._now_ms = now_ms
        self._tokens = float(burst)
        self._at_ms = now_ms()

    def take(self) -> bool:
        """Whether there was a token; it is gone then."""
        return self.take_some(1) == 1

    def take_some(self, most: int) -> int:
        """How many of `most` tokens there were; they are gone then."""
        now = self._now_ms()
        self._tokens = min(self._burst, self._tokens + (now - self._at_ms) * self._rate_per_ms)
        self._at_ms = now
        taken = min(most, int(self._tokens))
        self._tokens -= taken
        return taken

    def wait_ms(self) -> int:
        """How long from the last take until there is a token; the rate is not zero."""
        return max(0, math.ceil((1 - self._tokens) / self._rate_per_ms))

    def give_back(self, count: int = 1) -> None:
        """Tokens that were taken for nothing are there again."""
        self._tokens = min(self._burst, self._tokens + count)
