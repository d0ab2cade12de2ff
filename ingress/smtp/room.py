"""A budget that all sessions of a server share: octets in memory, and connections by client."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Room:
    """`limit` units to take; whoever takes gives back."""

    limit: int
    taken: int = 0

    def take(self, units: int) -> bool:
        """Whether there was room; it is taken then."""
        if self.taken + units > self.limit:
            return False
        self.taken += units
        return True

    def give_back(self, units: int) -> None:
        """What was taken is free again."""
        self.taken -= units


@dataclass(slots=True)
class Doors:
    """How many connections are open, in all and for each client's address."""

    limit: int
    limit_per_client: int
    open: int = 0
    _by_client: Counter[str] = field(default_factory=Counter)

    def enter(self, client: str) -> bool:
        """Whether one more connection of `client` may stay; `leave` must follow then."""
        if self.open >= self.limit or self._by_client[client] >= self.limit_per_client:
            return False
        self.open += 1
        self._by_client[client] += 1
        return True

    def leave(self, client: str) -> None:
        """A connection of `client` has ended."""
        self.open -= 1
        self._by_client[client] -= 1
        if self._by_client[client] <= 0:
            del self._by_client[client]
