"""The last messages between two addresses, for requests that name none: replace_if_present, and cancel_sm without an id."""

from collections.abc import Callable
from typing import Final

from ingress.expiring import Expiring

MAX_PAIRS: Final = 50_000
MAX_OF_A_PAIR: Final = 16
TTL_MS: Final = 24 * 3600 * 1000

Pair = tuple[str, str, str]
"""Tenant, source and destination, as they were written."""


class Recent:
    """Knows what this process accepted in the last day; `now_ms` is monotonic."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._pairs: Expiring[Pair, tuple[tuple[str, str], ...]] = Expiring(MAX_PAIRS, TTL_MS, now_ms)

    def add(self, pair: Pair, service_type: str, message_id: str) -> None:
        """A message was accepted."""
        before = self._pairs.get(pair) or ()
        self._pairs.put(pair, (*before, (service_type, message_id))[-MAX_OF_A_PAIR:])

    def newest(self, pair: Pair, service_type: str) -> str | None:
        """The newest message of exactly this service type (5.2.18)."""
        found = [message_id for service, message_id in self._pairs.get(pair) or () if service == service_type]
        return found[-1] if found else None

    def all(self, pair: Pair, service_type: str) -> tuple[str, ...]:
        """The messages of this service type, of every one when it is empty (4.9)."""
        known = self._pairs.get(pair) or ()
        return tuple(message_id for service, message_id in known if service_type in ("", service))
