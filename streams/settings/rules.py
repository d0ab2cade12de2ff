"""What has to hold between the tables of the settings: names that are unique, and names that refer to something."""

from collections.abc import Iterable, Iterator

from egress.mta.config import host_and_port
from egress.mta.errors import ConfigError as MtaError
from streams.settings.identity import login_name, tenant_id
from streams.settings.model import GatewaySettings, Settings
from streams.settings.tenants import TenantSettings
from streams.settings.values import SANDBOX

SMTP_PORT = 25


def broken_rules(settings: Settings) -> list[str]:
    """A sentence for each rule that does not hold, beginning with the place."""
    return [
        *_gateway(settings.gateway),
        *_carriers(settings),
        *_routes(settings),
        *_mail(settings),
        *_tenants(settings.tenants),
    ]


def _gateway(gateway: GatewaySettings) -> Iterator[str]:
    if (gateway.tls_certificate_file is None) != (gateway.tls_key_file is None):
        yield "gateway: tls_certificate_file and tls_key_file go together"


def _carriers(settings: Settings) -> Iterator[str]:
    for number, carrier in enumerate(settings.carriers):
        if carrier.name == SANDBOX:
            yield f"carriers.{number}.name: {SANDBOX} is the simulated carrier; take another name"
    yield from _repeated("carriers", "name", [c.name for c in settings.carriers])


def _routes(settings: Settings) -> Iterator[str]:
    known = list(dict.fromkeys([*(c.name for c in settings.carriers), SANDBOX]))
    for number, route in enumerate(settings.routes):
        if route.carrier not in known:
            yield f"routes.{number}.carrier: there is no carrier called {route.carrier}, only {', '.join(known[:20])}"
    yield from _repeated("routes", "prefix and carrier", [f"{r.prefix} {r.carrier}" for r in settings.routes])


def _mail(settings: Settings) -> Iterator[str]:
    for domain, target in (settings.mta.mx if settings.mta is not None else {}).items():
        try:
            host_and_port(target, SMTP_PORT)
        except MtaError as error:
            yield f"mta.mx.{domain}: {error}"


def _tenants(tenants: tuple[TenantSettings, ...]) -> Iterator[str]:
    yield from _repeated("tenants", "name", [t.name for t in tenants])
    ids = {tenant_id(t.name) for t in tenants}
    if len({login_name(t.name) for t in tenants}) != len(ids):
        yield "tenants: two names give the same SMPP system_id; make their first letters and digits different"


def _repeated(table: str, what: str, names: Iterable[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        if name in seen:
            yield f"{table}.{number}: has the {what} of {table}.{seen[name]}"
        seen.setdefault(name, number)
