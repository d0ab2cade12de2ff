"""A token bucket: so many at once, and so many a second after that."""

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
        now = self._now_ms()
        self._tokens = min(self._burst, self._tokens + (now - self._at_ms) * self._rate_per_ms)
        self._at_ms = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def give_back(self) -> None:
        """A token that was taken for nothing is there again."""
        self._tokens = min(self._burst, self._tokens + 1)
