"""An accepted message, fixed for good: what is sent to whom, its plan, and what was reserved for it."""

from dataclasses import dataclass, field

from domain.cascade.plan import Plan
from domain.evolve import quick
from domain.message import Body, Protocol, Recipient


@quick
@dataclass(frozen=True, slots=True)
class Message:
    """What admission let through. The cascade reads it whenever it sends a step."""

    message_id: str
    tenant_id: str
    key_id: str
    test: bool
    protocol: Protocol
    to: Recipient
    body: Body
    sender_email: str
    sender_sms: str
    sender_name: str
    plan: Plan
    reserved_micros: int
    currency: str
    callback: bool
    trace_id: str
    created_at_ms: int
    recipient_hash: str
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
