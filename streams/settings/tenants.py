"""Settings of a tenant: who sends, at which rate, for which money, and within which bounds."""

from typing import Annotated

from pydantic import BaseModel, Field

from domain.tenant import ChargeOn, Overage, TenantStatus, Tier
from streams.settings.values import STRICT, Currency, Micros, MinuteOfDay, Number, Text, Url

MAX_TENANTS = 1_000
MAX_BLOCKED = 10_000
MAX_NUMBERS = 1_000

Recipient = Annotated[str, Field(min_length=1, max_length=320)]
Phrase = Annotated[str, Field(min_length=1, max_length=200)]


class QuietHoursSettings(BaseModel):
    """When the tenant's recipients are left alone, in the recipient's own time."""

    model_config = STRICT

    start: MinuteOfDay = Field(description="From this time of day.", examples=["21:00"])
    end: MinuteOfDay = Field(description="To this one; may be past midnight.", examples=["08:00"])
    defer: bool = Field(default=True, description="Wait for the end; false refuses the message instead.")


class TenantSettings(BaseModel):
    """A customer. Its id comes from its name; its keys are made once and kept with the state."""

    model_config = STRICT

    name: str = Field(
        description="Its name; another name is another tenant.", examples=["Acme"], min_length=1, max_length=80
    )
    tier: Tier = Field(default="starter", description="starter, business or enterprise.")
    status: TenantStatus = Field(default="active", description="provisioning, active, suspended or deactivated.")
    from_domain: Text = Field(
        default="", description="The domain of its sender addresses in mail.", examples=["acme.example"]
    )
    sender_id: str = Field(default="", description="Its sender in text messages.", examples=["Acme"], max_length=16)
    numbers: tuple[Number, ...] = Field(
        default=(),
        description='Numbers whose text messages are its, as in ["+4512345678", "1245"]; "1245 NEWS" if that comes first.',
        max_length=MAX_NUMBERS,
    )
    balance_micros: Micros = Field(default=0, description="The opening balance in millionths; credited once.")
    currency: Currency = Field(
        default="EUR", description="The currency of its money; prices are charged in it as they are."
    )
    rate_per_s: int = Field(
        default=0, description="Messages a second, 0 for the tier's: 100, 1000, 10000.", ge=0, le=1_000_000
    )
    charge_on: ChargeOn = Field(default="delivered", description="delivered or sent: when a message is charged.")
    overage: Overage = Field(default="block", description="block, overdraft or alert: what happens without money.")
    overdraft_micros: Micros = Field(default=0, description="How far below zero an overdraft goes.")
    webhook_url: Url = Field(default="", description="Where callbacks go, empty for none.")
    quiet_hours: QuietHoursSettings | None = Field(
        default=None, description="When its recipients are left alone; always reachable by default."
    )
    blocked_recipients: tuple[Recipient, ...] = Field(
        default=(), description="Numbers and mailboxes that get nothing.", max_length=MAX_BLOCKED
    )
    blocked_phrases: tuple[Phrase, ...] = Field(
        default=(), description="Words that no message may have.", max_length=MAX_BLOCKED
    )
    spam_threshold: float = Field(default=5.0, description="From this score on content is refused.", ge=0, le=100)
