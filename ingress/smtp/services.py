"""What the SMTP way in needs from the rest of the process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from domain.ports import ConfigView, Desk
from domain.tenant import ApiKey, Tenant
from ingress.smtp.inbound import InboundMail
from schemas.mail.dns import Dns

Resolve = Callable[[str, str], Awaitable[ApiKey | None]]
"""The key behind a user and a password, None for wrong ones; TransientError when it cannot be said now."""


class Meter(Protocol):
    """Counts what happens on the SMTP ports."""

    def session(self, outcome: str) -> None:
        """A session ended: `closed`, `lost`, `timed_out`, `refused`, `too_many_errors`, `crashed`."""
        ...

    def login(self, outcome: str) -> None:
        """A login was answered: `ok`, `refused`, `deferred`."""
        ...

    def message(self, code: int, octets: int, seconds: float) -> None:
        """A message was read and answered with `code`, `seconds` after its last octet."""
        ...

    def watch_connections(self, count: Callable[[], int]) -> None:
        """From now on `count` says how many connections are open."""
        ...


class Config(ConfigView, Protocol):
    """The configuration, by the domains of the tenants too."""

    def tenant_of_domain(self, domain: str) -> Tenant | None:
        """The tenant that sends from this domain (lower-case A-labels); None for nobody."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a session reaches for. `clock` answers milliseconds since 1970, `new_id` a UUIDv7 with dashes.

    `inbound` takes mail for the tenants' domains; None when this server takes submissions only. `dns` answers what SPF, DKIM
    and DMARC ask about such mail; None leaves it unchecked.
    """

    desk: Desk
    resolve: Resolve
    config: Config
    clock: Callable[[], int]
    new_id: Callable[[], str]
    meter: Meter
    inbound: InboundMail | None = None
    dns: Dns | None = None
