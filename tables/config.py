"""The configuration table: the newest tenants, keys, rules and routes, and how the carriers do, read from their topics."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from domain.cascade.rule import CascadeRule
from domain.delivery import Channel
from domain.tenant import ApiKey, CarrierStatus, Route, Tenant
from schemas.topics import CONFIG

MAX_NUMBER_CHARS = 60
"""Of a number with its word."""

ConfigValue = Tenant | ApiKey | CascadeRule | Route


def config_key(value: ConfigValue) -> str:
    """The record key of a value on `hermes.config`: its kind and its id."""
    match value:
        case Tenant():
            return f"tenant/{value.tenant_id}"
        case ApiKey():
            return f"key/{value.key_id}"
        case CascadeRule():
            return f"rule/{value.tenant_id}/{value.rule_id}"
        case Route():
            return f"route/{value.route_id}"


@dataclass(slots=True)
class ConfigTable:
    """Held whole in memory by each process that judges or routes; fed in the order of the topic."""

    version: int = 0
    carriers: dict[str, CarrierStatus] = field(default_factory=dict)
    _values: dict[str, ConfigValue] = field(default_factory=dict)
    _routes: dict[tuple[Channel, bool, str], tuple[Route, ...]] = field(default_factory=dict)
    _lengths: dict[tuple[Channel, bool], tuple[int, ...]] = field(default_factory=dict)
    _domains: dict[str, frozenset[str]] = field(default_factory=dict)
    _numbers: dict[str, frozenset[str]] = field(default_factory=dict)

    def apply(self, key: str, value: ConfigValue | None, version: int) -> None:
        """Take one record of `hermes.config` in; None removes. `version` is the offset after it."""
        before = self._values.get(key)
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value
        if isinstance(before, Route) or isinstance(value, Route):
            self._index_routes()
        was, now = (one if isinstance(one, Tenant) else None for one in (before, value))
        _index(self._domains, was, now, _domains)
        _index(self._numbers, was, now, _numbers)
        self.version = max(self.version, version)

    def feed(self, topic: str, key: str, value: ConfigValue | CarrierStatus | None, version: int) -> None:
        """Take one record of either topic in."""
        if topic == CONFIG.name:
            self.apply(key, None if isinstance(value, CarrierStatus) else value, version)
        elif isinstance(value, CarrierStatus):
            self.carriers[value.carrier] = value

    def tenant(self, tenant_id: str) -> Tenant | None:
        """A tenant."""
        value = self._values.get(f"tenant/{tenant_id}")
        return value if isinstance(value, Tenant) else None

    def key(self, key_id: str) -> ApiKey | None:
        """An API key without its secret."""
        value = self._values.get(f"key/{key_id}")
        return value if isinstance(value, ApiKey) else None

    def rule(self, tenant_id: str, rule_id: str) -> CascadeRule | None:
        """A tenant's own rule."""
        value = self._values.get(f"rule/{tenant_id}/{rule_id}")
        return value if isinstance(value, CascadeRule) else None

    def tenant_of_domain(self, domain: str) -> Tenant | None:
        """The tenant that sends from this domain, written in lower case; the lowest id of several, None for nobody."""
        return self._lowest(self._domains.get(domain))

    def tenant_of_number(self, number: str, text: str) -> Tenant | None:
        """The tenant that gets `text` sent to `number`: by its first word rather than by the number alone; None for nobody."""
        word = text[:MAX_NUMBER_CHARS].split(maxsplit=1)[:1]
        found = self._numbers.get(f"{number} {word[0].casefold()}") if word else None
        return self._lowest(found or self._numbers.get(number))

    def tenants(self) -> tuple[Tenant, ...]:
        """All tenants."""
        return tuple(v for v in self._values.values() if isinstance(v, Tenant))

    def routes(self, channel: Channel, address: str, test: bool) -> tuple[Route, ...]:
        """The routes with the longest prefix of `address`; those for test keys when `test`."""
        for length in self._lengths.get((channel, test), ()):
            found = self._routes.get((channel, test, address[:length]))
            if found and len(address) >= length:
                return found
        return ()

    def _lowest(self, tenant_ids: frozenset[str] | None) -> Tenant | None:
        return self.tenant(min(tenant_ids)) if tenant_ids else None

    def _index_routes(self) -> None:
        index: dict[tuple[Channel, bool, str], tuple[Route, ...]] = {}
        for value in self._values.values():
            if isinstance(value, Route):
                place = (value.channel, value.test, value.prefix)
                index[place] = (*index.get(place, ()), value)
        self._routes = index
        kinds = {(channel, test) for channel, test, _ in index}
        self._lengths = {
            kind: tuple(sorted({len(prefix) for *of, prefix in index if tuple(of) == kind}, reverse=True))
            for kind in kinds
        }


def _index(
    index: dict[str, frozenset[str]], was: Tenant | None, now: Tenant | None, places: Callable[[Tenant], Iterable[str]]
) -> None:
    """Bring an index of tenants by what `places` finds in each in line with a change."""
    if was is not None:
        for place in places(was):
            index[place] = index[place] - {was.tenant_id}
    if now is not None:
        for place in places(now):
            index[place] = index.get(place, frozenset()) | {now.tenant_id}


def _domains(tenant: Tenant) -> Iterable[str]:
    return (tenant.from_domain.lower(),) if tenant.from_domain else ()


def _numbers(tenant: Tenant) -> Iterable[str]:
    return [" ".join(number.casefold().split()) for number in tenant.numbers]
