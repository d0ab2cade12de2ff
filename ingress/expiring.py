"""A memory of bounded size in which everything is forgotten after a while."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Expiring(Generic[K, V]):
    """Holds at most `limit` values, each for `ttl_ms`; a full one forgets the oldest. `now_ms` is monotonic."""

    def __init__(self, limit: int, ttl_ms: int, now_ms: Callable[[], int]) -> None:
        self._limit = limit
        self._ttl_ms = ttl_ms
        self._now_ms = now_ms
        self._values: dict[K, tuple[int, V]] = {}

    def get(self, key: K) -> V | None:
        """The value, or None when there is none (any more)."""
        found = self._values.get(key)
        if found is None:
            return None
        until, value = found
        if until <= self._now_ms():
            del self._values[key]
            return None
        return value

    def put(self, key: K, value: V) -> None:
        """Remember `value` from now on."""
        self._values.pop(key, None)
        if len(self._values) >= self._limit:
            del self._values[next(iter(self._values))]
        self._values[key] = (self._now_ms() + self._ttl_ms, value)

    def __len__(self) -> int:
        return len(self._values)
