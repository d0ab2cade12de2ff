"""A budget that all sessions of a server share: octets in memory, and connections by client."""

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

CLIENT_BITS6: Final = 64
"""One IPv6 customer has at least as many addresses as fit behind these bits."""


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


def network_of(client: str) -> str:
    """Whom a limit for one client is for: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if not isinstance(address, IPv6Address):
        return client
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), CLIENT_BITS6), strict=False))
