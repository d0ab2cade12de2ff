"""Everything that can happen to a message after admission, in the past tense."""

from dataclasses import dataclass
from typing import Literal

from domain.delivery import ReceiptStatus
from domain.evolve import quick


@quick
@dataclass(frozen=True, slots=True)
class Accepted:
    """Admission let the message through. `message` is the encoded row of the message, kept as it is."""

    message_id: str
    message: bytes


@quick
@dataclass(frozen=True, slots=True)
class AttemptSent:
    """An egress handed the attempt over. `unknown`: its answer was lost, it may or may not have been taken."""

    message_id: str
    attempt: int
    at_ms: int
    carrier: str
    provider_ids: tuple[str, ...]
    level: Literal["sent", "delivered"]
    segments: int
    price_micros: int
    cost_micros: int
    unknown: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """The attempt was refused, or never handed over; `retry_after_ms` is the peer's wish, zero for none.

    `untried`: our own limits held it back, so it does not count as a try.
    """

    message_id: str
    attempt: int
    at_ms: int
    carrier: str
    permanent: bool
    code: str
    detail: str
    retry_after_ms: int = 0
    untried: bool = False


@quick
@dataclass(frozen=True, slots=True)
class ReceiptArrived:
    """A carrier told what became of an attempt.

    Route and price are repeated, as it may arrive before AttemptSent; a bounce that comes back as a mail knows neither, and
    leaves them empty.
    """

    message_id: str
    attempt: int
    at_ms: int
    carrier: str
    status: ReceiptStatus
    code: str
    segments: int
    price_micros: int
    cost_micros: int


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The wake number `timer` of the message is due."""

    message_id: str
    timer: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """A tenant wants the message stopped; the answer goes to gateway slot `slot`."""

    message_id: str
    tenant_id: str
    ask_id: str
    slot: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class StatusAsked:
    """A tenant wants to know the state; the answer goes to gateway slot `slot`. It changes nothing."""

    message_id: str
    tenant_id: str
    ask_id: str
    slot: int


Event = Accepted | AttemptSent | AttemptFailed | ReceiptArrived | TimerFired | CancelAsked | StatusAsked
"""What the topic `hermes.cascade` holds."""

Happening = AttemptSent | AttemptFailed | ReceiptArrived | TimerFired | CancelAsked
"""What can change a cascade that exists."""
