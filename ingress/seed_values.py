"""What a file of settings can name for planting, and what planting gives back."""

from dataclasses import dataclass, field
from typing import Literal

from domain.cascade.rule import CascadeRule
from domain.tenant import ApiKey, Route, Scope, Tenant


@dataclass(frozen=True, slots=True)
class SeedKey:
    """A key by its name within the tenant; `secret` is the one kept from an earlier time, empty for a new one."""

    tenant_id: str
    name: str
    scopes: tuple[Scope, ...] = ("read", "send", "admin")
    test: bool = False
    rate_per_s: int = 0
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SeedLogin:
    """An SMPP system_id or SMTP user that acts with the key called `key_name`; `secret` as with SeedKey."""

    protocol: Literal["smpp", "smtp"]
    tenant_id: str
    user: str
    key_name: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SeedEndpoint:
    """Where a tenant's callbacks go. `secret` (`whsec_…`) empty: the one it has, or a new one."""

    tenant_id: str
    endpoint_id: str
    url: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Seed:
    """What a file names. `source` names the file: a route that it planted before and no longer names is removed.

    Tenants, keys, logins, endpoints and rules that are no longer named stay.
    """

    source: str
    tenants: tuple[Tenant, ...] = ()
    keys: tuple[SeedKey, ...] = ()
    logins: tuple[SeedLogin, ...] = ()
    endpoints: tuple[SeedEndpoint, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[CascadeRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Planted:
    """Every secret in force: keys by (tenant, name), logins by (protocol, user), endpoints by (tenant, endpoint)."""

    keys: dict[tuple[str, str], ApiKey]
    key_secrets: dict[tuple[str, str], str] = field(repr=False)
    login_secrets: dict[tuple[str, str], str] = field(repr=False)
    endpoint_secrets: dict[tuple[str, str], str] = field(repr=False)
