"""What passes between the pipeline and an egress: an attempt that is due, its outcome, and a receipt."""

from dataclasses import dataclass, field
from typing import Literal

from domain.evolve import quick

Channel = Literal["email", "sms", "whatsapp", "telegram", "push"]
CHANNELS: tuple[Channel, ...] = ("email", "sms", "whatsapp", "telegram", "push")

ReceiptStatus = Literal["enroute", "accepted", "delivered", "read", "failed", "expired", "rejected", "unknown"]


@quick
@dataclass(frozen=True, slots=True)
class AttemptDue:
    """One attempt to send, complete in itself: an egress needs nothing else to do it.

    `message_id` and `attempt` name it: the same pair seen twice is the same attempt. After `expires_at_ms` it must not be
    handed to a peer any more. `address` is E.164 with its plus for SMS and a mailbox for e-mail.
    """

    message_id: str
    attempt: int
    tenant_id: str
    step: int
    channel: Channel
    carrier: str
    address: str
    sender: str
    sender_name: str
    subject: str
    text: str
    html: str
    created_at_ms: int
    expires_at_ms: int
    segments: int
    price_micros: int
    cost_micros: int
    trace_id: str
    headers: dict[str, str] = field(default_factory=dict)


@quick
@dataclass(frozen=True, slots=True)
class Sent:
    """The peer took the attempt; `level` is `delivered` when taking it is all the delivery that the channel can confirm.

    `provider_ids` are the peer's own ids, one a segment, in order; receipts name them.
    """

    provider_ids: tuple[str, ...]
    level: Literal["sent", "delivered"] = "sent"
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The peer refused the attempt, or it was never handed over; `retry_after_ms` is the peer's wish, zero for none.

    `untried`: our own limits held it back, so it does not count as a try.
    """

    permanent: bool
    code: str
    detail: str
    retry_after_ms: int = 0
    untried: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The attempt was written to the peer and its answer is lost: it may or may not have been taken."""

    detail: str


Outcome = Sent | Failed | Unknown


@quick
@dataclass(frozen=True, slots=True)
class ReceiptSeen:
    """A receipt as a peer told it: `provider_id` is the peer's id for a segment, `code` its own error code."""

    carrier: str
    provider_id: str
    status: ReceiptStatus
    code: str
    at_ms: int
