"""What the API answers about rules, keys, the tenant and the gateway itself, field by field, held by the tests as `shapes`."""

from domain.cascade.rule import ConfirmationLevel
from domain.tenant import ChargeOn, Overage, Scope, TenantStatus, Tier
from ingress.http.shapes import Shape, StepShape


class RuleShape(Shape):
    """A saved cascade rule; `version` grows with each change."""

    rule_id: str
    tenant_id: str
    name: str
    steps: list[StepShape]
    max_cascade_duration: str
    confirmation_level: ConfirmationLevel
    version: int


class RuleList(Shape):
    """The tenant's rules, by name."""

    cascade_rules: list[RuleShape]


class KeyShape(Shape):
    """An API key without its secret."""

    key_id: str
    label: str
    permissions: list[Scope]
    test: bool
    rate_per_s: int | None
    expires_at: str | None
    revoked: bool


class NewKeyShape(KeyShape):
    """A key just made; the secret is shown this once."""

    secret: str


class KeyList(Shape):
    """The tenant's keys, newest first."""

    api_keys: list[KeyShape]


class LimitsShape(Shape):
    """What a request and a second may hold."""

    rate_per_s: int
    key_rate_per_s: int | None
    max_body_bytes: int
    max_batch_items: int


class BalanceShape(Shape):
    """The tenant's money; available + reserved + spent = granted."""

    currency: str
    available_micros: int
    reserved_micros: int
    spent_micros: int
    granted_micros: int


class BillingShape(Shape):
    """When a message is charged, and what happens when the money is gone."""

    charge_on: ChargeOn
    overage: Overage
    overdraft_micros: int


class SenderShape(Shape):
    """The tenant's own senders."""

    from_domain: str
    sender_id: str


class Profile(Shape):
    """The tenant that the key belongs to."""

    tenant_id: str
    name: str
    tier: Tier
    status: TenantStatus
    status_reason: str
    limits: LimitsShape
    balance: BalanceShape
    billing: BillingShape
    sender: SenderShape
    key: KeyShape
    links: dict[str, str]


class Alive(Shape):
    """The process runs."""

    status: str


class Ready(Shape):
    """Whether requests can be answered, and what is missing."""

    status: str
    not_ready: list[str]
