"""What large receiving providers bear, by the names of their mail hosts: connections, mails a connection, mails a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_PROVIDERS = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What one source may ask of one group of hosts. `per_minute` is mails in a minute, zero for no limit."""

    connections: int
    mails_per_connection: int
    per_minute: int = 0


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider known by how its hosts' names end.

    All its domains share the limits, unless it is `split`: then each set of hosts has limits of its own, as with providers
    that give each customer or region other machines. `needs_tls` for those that treat plain sessions badly.
    """

    name: str
    suffixes: tuple[str, ...]
    limits: Limits
    split: bool = False
    needs_tls: bool = False


KNOWN: tuple[Provider, ...] = (
    Provider("google", (".google.com", ".googlemail.com"), Limits(5, 50), needs_tls=True),
    Provider("yahoo", (".yahoodns.net",), Limits(10, 20)),
    Provider("yahoo-japan", (".mail.yahoo.co.jp",), Limits(2, 20, 600)),
    Provider("outlook", (".olc.protection.outlook.com",), Limits(5, 50)),
    Provider("office365", (".mail.protection.outlook.com", ".mx.microsoft"), Limits(5, 50), split=True),
    Provider("apple", (".icloud.com",), Limits(10, 5)),
    Provider("comcast", (".comcast.net",), Limits(25, 1_000), needs_tls=True),
    Provider("gmx", (".gmx.net", ".web.de"), Limits(4, 20), needs_tls=True),
    Provider("orange", (".orange.fr",), Limits(2, 100), needs_tls=True),
    Provider("mimecast", (".mimecast.com", ".mimecast.co.za", ".mimecast-offshore.com"), Limits(10, 100), split=True),
    Provider("barracuda", (".barracudanetworks.com",), Limits(10, 15), needs_tls=True),
    Provider("kpn", (".kpnmail.nl",), Limits(10, 10), needs_tls=True),
    Provider("netvigator", (".netvigator.com",), Limits(5, 10), needs_tls=True),
    Provider("qq", (".qq.com",), Limits(4, 8), needs_tls=True),
    Provider("netease", (".netease.com",), Limits(4, 7), needs_tls=True),
)


def provider_of(hosts: Iterable[str], own: Sequence[Provider] = ()) -> Provider | None:
    """The provider that all `hosts` (lower case) belong to, those of `own` before the known ones; None for no one's."""
    names = ["." + host for host in hosts]
    if not names:
        return None
    return next((p for p in (*own, *KNOWN) if all(name.endswith(p.suffixes) for name in names)), None)
