"""Who sends, with which keys, over which routes: the configuration that admission and the router judge by."""

from dataclasses import dataclass
from typing import Literal

from domain.delivery import Channel

Tier = Literal["starter", "business", "enterprise"]
TenantStatus = Literal["provisioning", "active", "suspended", "deactivated"]
ChargeOn = Literal["delivered", "sent"]
Overage = Literal["block", "overdraft", "alert"]
Scope = Literal["read", "send", "admin"]
PathType = Literal["direct", "aggregator", "fallback"]

DEFAULT_RATE_PER_S: dict[Tier, int] = {"starter": 100, "business": 1_000, "enterprise": 10_000}


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When a recipient must be left alone, in minutes after midnight of the recipient's zone; may wrap midnight.

    `defer` moves a step to the next opening; otherwise the message is refused.
    """

    start_minute: int
    end_minute: int
    defer: bool = True


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer of the platform. Amounts in micro-units of `currency`; `overdraft_micros` is what may go below zero.

    Text messages to `numbers` are the tenant's: `+4512345678`, a short code `1245`, or `1245 KEYWORD` for those whose first
    word that is.
    """

    tenant_id: str
    name: str
    tier: Tier
    status: TenantStatus
    status_reason: str = ""
    currency: str = "EUR"
    rate_per_s: int = 100
    charge_on: ChargeOn = "delivered"
    overage: Overage = "block"
    overdraft_micros: int = 0
    from_domain: str = ""
    sender_id: str = ""
    has_webhook: bool = False
    quiet_hours: QuietHours | None = None
    blocked_recipients: tuple[str, ...] = ()
    blocked_phrases: tuple[str, ...] = ()
    spam_threshold: float = 5.0
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What a credential allows. Its secret is not here: only gateways see the hash, in the database.

    `rate_per_s` and `expires_at_ms` are zero for none. A `test` key sends to simulated carriers only.
    """

    key_id: str
    tenant_id: str
    label: str
    scopes: tuple[Scope, ...]
    test: bool = False
    rate_per_s: int = 0
    expires_at_ms: int = 0
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A way to reach numbers that begin with `prefix` (or every mailbox, prefix empty), with its price and cost a segment."""

    route_id: str
    channel: Channel
    prefix: str
    carrier: str
    price_micros: int
    cost_micros: int
    currency: str = "EUR"
    path: PathType = "direct"
    test: bool = False


@dataclass(frozen=True, slots=True)
class CarrierStatus:
    """How a carrier or mail pool does right now, as its egress says: `capacity` is the room left in its windows."""

    carrier: str
    up: bool
    in_flight: int
    capacity: int
    success_permille: int
    at_ms: int
