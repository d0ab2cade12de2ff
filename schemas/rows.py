"""The rows of the tables that are not domain values by themselves."""

from dataclasses import dataclass

from domain.audit.chain import AuditEntry
from domain.billing.money import LedgerEntry
from domain.evolve import quick
from domain.inbound import ReceivedPart
from domain.verdict import Verdict


@quick
@dataclass(frozen=True, slots=True)
class StoredDecision:
    """What was decided on a submission: enough to say all of it again.

    Keyed by tenant and idempotency key (the client's, or the message id). `entry` and `audit` are the movements that were
    made with it; `reserved_micros` is zero for a refusal. `suppressed` are the steps that were passed over, by their place;
    `offset` is that of the submission it was decided on: what it moved, it moved for that record.
    """

    message_id: str
    fingerprint: bytes
    verdict: Verdict
    reserved_micros: int
    entry: LedgerEntry | None
    audit: AuditEntry | None
    expires_at_ms: int
    suppressed: tuple[int, ...] = ()
    offset: int = -1


@quick
@dataclass(frozen=True, slots=True)
class RateWindow:
    """How many items came in each tenth of the last second, oldest first; `newest_tick` numbers the last tenth."""

    counts: tuple[int, ...]
    newest_tick: int
    offset: int


@dataclass(frozen=True, slots=True)
class PartsKept:
    """The parts of one text message from a recipient that have come so far, in their order."""

    parts: tuple[ReceivedPart, ...]
    expires_at_ms: int


@quick
@dataclass(frozen=True, slots=True)
class Submit:
    """An attempt at an egress, keyed by message and attempt.

    `outcome` is empty for an intent, then `sent`, `delivered`, `failed` (may be retried), `refused` or `unknown`.
    `delivered_ids` are the segments of a long message whose receipts have come.
    """

    message_id: str
    attempt: int
    carrier: str
    outcome: str
    provider_ids: tuple[str, ...]
    segments: int
    price_micros: int
    cost_micros: int
    trace_id: str
    at_ms: int
    code: str = ""
    detail: str = ""
    retry_after_ms: int = 0
    delivered_ids: tuple[str, ...] = ()
    untried: bool = False


@dataclass(frozen=True, slots=True)
class DeadRecord:
    """A record that nobody could read: its bytes, where it was, and why."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CallbackDue:
    """A tenant wants to be told of a final state. `event_id` is the same however often it is told."""

    event_id: str
    tenant_id: str
    message_id: str
    type: str
    at_ms: int
    payload: str


@dataclass(frozen=True, slots=True)
class UsageCounted:
    """How many messages of a tenant came or ended in a minute, as one batch saw it; counts by "channel.state"."""

    tenant_id: str
    minute_ms: int
    counts: dict[str, int]
