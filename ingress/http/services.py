"""What the REST gateway needs from the rest of the process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from domain.ports import Archive, ConfigView, Desk, Directory
from ingress.gate import Gate
from ingress.http.rates import Rates
from ingress.http.unsubscribe import Unsubscribe


class Meter(Protocol):
    """Counts requests, and shows every metric of the process."""

    def request(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """One request was answered; `endpoint` is the route's template, never the path that was asked for."""
        ...

    def watch_connections(self, count: Callable[[], int]) -> None:
        """From now on `count` says how many connections are open."""
        ...

    def exposition(self) -> tuple[bytes, str]:
        """All metrics in the Prometheus text format, and its content type."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the handlers reach for. `clock` answers milliseconds since 1970, `new_id` a UUIDv7 with dashes.

    `public_url` is where clients reach this gateway, without a slash at its end. `ready` names what is not ready yet.
    `gate` is the desk's; it and `rates` are asked before a body is read. Without `unsubscribe` no link leads here.
    """

    desk: Desk
    config: ConfigView
    directory: Directory
    archive: Archive
    public_url: str
    clock: Callable[[], int]
    new_id: Callable[[], str]
    meter: Meter
    ready: Callable[[], Awaitable[list[str]]]
    gate: Gate = field(default_factory=Gate)
    rates: Rates = field(default_factory=Rates)
    unsubscribe: Unsubscribe | None = None
