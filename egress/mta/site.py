"""Where mail goes: a hop is one address of one host, a route all hops of a domain, a site a route with how to go there."""

from dataclasses import dataclass, field

from egress.mta.dane import Tlsa
from egress.mta.posture import Posture
from egress.mta.providers import Limits, Provider
from egress.mta.sources import Source


@dataclass(frozen=True, slots=True)
class Hop:
    """One address to connect to; `name` is the host as MX or the override has it, which a certificate must name.

    `tlsa` is what DNSSEC proves about the host's keys; None when it proves nothing (RFC 7672).
    """

    name: str
    address: str
    port: int = 25
    preference: int = 0
    tlsa: tuple[Tlsa, ...] | None = None

    def __str__(self) -> str:
        return f"{self.name}[{self.address}]:{self.port}"


@dataclass(frozen=True, slots=True)
class Route:
    """The hops for a domain, best preference first. Domains with the same hosts have the same `name`.

    `fixed` when an override of the configuration leads there; `secure` when DNSSEC vouches for the names of the hosts.
    """

    name: str
    hops: tuple[Hop, ...]
    provider: Provider | None = None
    fixed: bool = False
    secure: bool = False

    @property
    def group(self) -> str:
        """What shares limits: the whole provider, or these hosts."""
        return self.provider.name if self.provider is not None and not self.provider.split else self.name


@dataclass(frozen=True, slots=True)
class Site:
    """A route with the source to leave from, the TLS to have there and the limits to keep. `domain` is whom TLS is told of."""

    route: Route
    source: Source
    posture: Posture
    limits: Limits
    domain: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[str, str, Posture]:
        """What may share a connection; addresses that DNS gives in turn make no difference."""
        return self.source.name, self.route.name, self.posture

    @property
    def group(self) -> tuple[str, str]:
        """What shares limits."""
        return self.source.name, self.route.group
