"""What a client may write to send a message, field by field; everything else is refused."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.cascade.rule import MAX_DURATION_MS, MAX_RETRIES, MAX_STEP_TIMEOUT_MS, MAX_STEPS, ConfirmationLevel
from domain.delivery import Channel
from domain.message import RecipientType
from ingress.wire_types import EmailText, Line, Moment, PhoneText, ShortLine, duration

MAX_BATCH_ITEMS = 1_000
MAX_METADATA_ENTRIES = 50
MAX_METADATA_KEY_CHARS = 64
MAX_METADATA_VALUE_CHARS = 512
MAX_REFERENCE_CHARS = 128
MAX_TOKEN_CHARS = 512
MIN_STEP_TIMEOUT_MS = 100
MIN_DURATION_MS = 1_000

RoutingType = Literal["cascade_rule", "channels", "direct"]
Timeout = Annotated[int, *duration(MIN_STEP_TIMEOUT_MS, MAX_STEP_TIMEOUT_MS)]
MaxDuration = Annotated[int, *duration(MIN_DURATION_MS, MAX_DURATION_MS)]
Retries = Annotated[int, Field(ge=0, le=MAX_RETRIES)]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=MAX_METADATA_KEY_CHARS)]
MetadataValue = Annotated[str, StringConstraints(max_length=MAX_METADATA_VALUE_CHARS)]


class Strict(BaseModel):
    """A body whose types are taken as they are written and that has no field besides its own."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class RecipientBody(Strict):
    """Who receives the message: the field that `type` names, or any of them for `multi`."""

    type: RecipientType
    email: EmailText | None = None
    phone: PhoneText | None = None
    device_token: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TOKEN_CHARS)] | None = None
    user_id: Annotated[ShortLine, StringConstraints(min_length=1)] | None = None


class ContentBody(Strict):
    """What is said: a text, HTML or a template, with the subject for e-mail."""

    text: str = ""
    html: str = ""
    subject: Line = ""
    template_id: ShortLine = ""
    template_vars: dict[str, Any] | None = None


class ChannelBody(Strict):
    """One step of an inline cascade."""

    channel: Channel
    timeout: Timeout | None = None
    max_retries: Retries | None = None


class RoutingBody(Strict):
    """Which way the message takes: a saved rule, an inline cascade, or one channel."""

    type: RoutingType
    cascade_rule_id: Annotated[ShortLine, StringConstraints(min_length=1)] | None = None
    channels: Annotated[list[ChannelBody], Field(min_length=1, max_length=MAX_STEPS)] | None = None
    direct_channel: Channel | None = None
    confirmation_level: ConfirmationLevel | None = None
    max_cascade_duration: MaxDuration | None = None


class SendBody(Strict):
    """One message to send."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "idempotency_key": "txn-2026-abc-123",
                    "to": {"type": "multi", "email": "user@example.com", "phone": "+14155551234"},
                    "body": {"text": "Your order #1234 has shipped!", "subject": "Order shipped"},
                    "routing": {
                        "type": "channels",
                        "channels": [{"channel": "email", "timeout": "30s"}, {"channel": "sms"}],
                    },
                    "metadata": {"order_id": "1234"},
                }
            ]
        }
    )

    to: RecipientBody
    body: ContentBody
    routing: RoutingBody
    idempotency_key: str | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(default_factory=dict, max_length=MAX_METADATA_ENTRIES)]
    reference: Annotated[ShortLine, Field(max_length=MAX_REFERENCE_CHARS)] = ""
    sender: ShortLine = ""
    send_at: Moment | None = None


class BatchBody(Strict):
    """Many messages in one request; each item is a SendBody, and one bad item does not lose the rest."""

    messages: Annotated[list[SendBody], Field(min_length=1, max_length=MAX_BATCH_ITEMS)]


class BatchEnvelope(Strict):
    """A batch whose items have not been looked at yet."""

    messages: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH_ITEMS)]
