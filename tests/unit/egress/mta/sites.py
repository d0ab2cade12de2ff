"""Sites as the tests of the mail way out need them."""

from egress.mta.dane import Tlsa
from egress.mta.posture import Posture
from egress.mta.providers import Limits, Provider
from egress.mta.site import Hop, Route, Site
from egress.mta.sources import Source

SOURCE = Source("", "out.hermes.test")


def site(
    *hosts: str,
    connections: int = 2,
    mails: int = 100,
    per_minute: int = 0,
    provider: Provider | None = None,
    posture: Posture | None = None,
    tlsa: tuple[Tlsa, ...] | None = None,
    source: Source = SOURCE,
) -> Site:
    """A site of `hosts`, each with an address of its own."""
    hops = tuple(Hop(host, f"192.0.2.{at}", 25, 10 * at, tlsa) for at, host in enumerate(hosts, 1))
    route = Route(",".join(hosts), hops, provider)
    return Site(route, source, posture or Posture(), Limits(connections, mails, per_minute), "b.test")
