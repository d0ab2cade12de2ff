"""What the layers know besides the submission, and the signature that all of them share."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.billing.money import Account
from domain.cascade.plan import Plan
from domain.evolve import quick
from domain.message import Submission
from domain.tenant import ApiKey, Tenant
from domain.verdict import Defer, Reject


@quick
@dataclass(frozen=True, slots=True)
class Facts:
    """Facts at the moment of judgement. None means: there is no such thing.

    `stored_fingerprint` belongs to an earlier submission with the same idempotency key. `used` and `key_used` count the
    items of the last second, this one not included; `window_resets_ms` is when the oldest of them leaves the window.
    """

    now_ms: int
    tenant: Tenant | None = None
    key: ApiKey | None = None
    stored_fingerprint: bytes | None = None
    used: int = 0
    key_used: int = 0
    window_resets_ms: int = 0
    account: Account | None = None
    plan: Plan | None = None


Layer = Callable[[Submission, Facts], Reject | Defer | None]
"""A layer: it never raises, waits or changes anything. None lets the submission pass."""
