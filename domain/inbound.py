"""What comes back from recipients: messages, and the wish to be left alone."""

from dataclasses import dataclass
from typing import Literal

from domain.delivery import Channel

SuppressionReason = Literal["stop", "unsubscribed", "hard_bounce", "complaint"]

SANDBOX_DOMAIN = "@sandbox.hermes.dev"
"""Its mailboxes are nobody's: what happens to them is simulated, so they are never suppressed."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message from a recipient for a tenant. `inbound_id` is the same however often a peer repeats it.

    `in_reply_to` is the id of the message that it answers, empty while nobody knows.
    """

    inbound_id: str
    tenant_id: str
    channel: Channel
    sender: str
    recipient: str
    subject: str
    text: str
    carrier: str
    at_ms: int
    in_reply_to: str = ""


@dataclass(frozen=True, slots=True)
class ReceivedPart:
    """Part `seq` (from 1) of `total` of a text message, whose tenant only the whole text may tell.

    `kind` and `ref` name the message among those between sender and recipient. `octets` are without their header and not
    read yet, for a character may lie across a cut; the fields behind them say how to read them.
    """

    inbound_id: str
    sender: str
    recipient: str
    carrier: str
    at_ms: int
    kind: int
    ref: int
    total: int
    seq: int
    octets: bytes
    data_coding: int
    default_alphabet: Literal["gsm7", "latin1", "ascii"]
    locking: int = 0
    single: int = 0


@dataclass(frozen=True, slots=True)
class Suppress:
    """From now on nothing of this tenant goes to `address` over `channel`."""

    tenant_id: str
    channel: Channel
    address: str
    reason: SuppressionReason
    at_ms: int
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Lift:
    """The recipient wants to hear from the tenant again."""

    tenant_id: str
    channel: Channel
    address: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why, and since when, an address is left alone."""

    reason: SuppressionReason
    at_ms: int
    message_id: str


def suppression_key(tenant_id: str, channel: Channel, address: str) -> str:
    """The key under which a suppression is kept; mailboxes are the same in capitals."""
    return f"{tenant_id}/{channel}/{address.casefold()}"


def may_suppress(address: str) -> bool:
    """Whether an address belongs to somebody."""
    return bool(address) and not address.casefold().endswith(SANDBOX_DOMAIN)
