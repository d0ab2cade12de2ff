"""Where mail goes: a hop is one address of one host, a site all hops that a domain's mail may take."""

from dataclasses import dataclass

from egress.mta.config import TlsPolicy


@dataclass(frozen=True, slots=True)
class Hop:
    """One address to connect to; `name` is the host as MX or the override has it, which a certificate must name."""

    name: str
    address: str
    port: int = 25
    preference: int = 0

    def __str__(self) -> str:
        return f"{self.name}[{self.address}]:{self.port}"


@dataclass(frozen=True, slots=True)
class Site:
    """The hops, best preference first, and the TLS policy: domains with equal sites share connections and limits."""

    hops: tuple[Hop, ...]
    tls: TlsPolicy
