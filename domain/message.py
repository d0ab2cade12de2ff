"""What a tenant hands in, the same for every protocol: recipient, body, and the steps that it should take."""

from dataclasses import dataclass, field
from typing import Literal

from domain.cascade.rule import ConfirmationLevel, Step
from domain.errors import FieldError

RecipientType = Literal["email", "phone", "device_token", "user_id", "multi"]
Protocol = Literal["rest", "smpp", "smtp"]
SubmissionKind = Literal["send", "validate"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who receives the message; `phone` is E.164 once it has been normalised, empty strings are absent."""

    type: RecipientType
    email: str = ""
    phone: str = ""
    device_token: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """What is said. `template_vars` is a JSON object as text, empty for none."""

    text: str
    html: str = ""
    subject: str = ""
    template_id: str = ""
    template_vars: str = ""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One normalised request. `steps` come from the rule, the inline cascade or the direct channel that was named.

    `send_at_ms` is zero for at once; `sender` overrides the tenant's sender, empty for the tenant's own.
    `timezone` is the recipient's IANA zone as far as it is known.
    """

    to: Recipient
    body: Body
    steps: tuple[Step, ...]
    confirmation: ConfirmationLevel
    max_duration_ms: int
    rule_id: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    reference: str = ""
    send_at_ms: int = 0
    sender: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Submission:
    """A request on its way to the verdict. Keyed by tenant on its topic; it never holds a credential, only the key's id.

    `request` is None when the body could not be read as a request; `errors` then says why, and layer 5 answers with it.
    `fingerprint` is the SHA-256 of the canonical body. `config_version` is the configuration that the gateway had seen:
    the pipeline judges with that version or a later one, so a change is visible to the request that follows it.
    """

    message_id: str
    tenant_id: str
    key_id: str
    kind: SubmissionKind
    protocol: Protocol
    slot: int
    idempotency_key: str
    fingerprint: bytes
    received_at_ms: int
    config_version: int
    trace_id: str
    request: SendRequest | None
    errors: tuple[FieldError, ...] = ()
