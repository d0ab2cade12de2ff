"""What the cascade wants done: imperative values that the shell carries out."""

from dataclasses import dataclass

from domain.billing.money import Settle
from domain.cascade.states import Cascade
from domain.delivery import Channel
from domain.evolve import quick


@quick
@dataclass(frozen=True, slots=True)
class SendAttempt:
    """Route attempt `attempt` of step `step` and hand it to an egress; after `expires_at_ms` it is not to be sent."""

    attempt: int
    step: int
    channel: Channel
    at_ms: int
    expires_at_ms: int


@quick
@dataclass(frozen=True, slots=True)
class Announce:
    """Tell the world about the newest line of the history; `final` when the message has just reached its end."""

    final: bool


@quick
@dataclass(frozen=True, slots=True)
class Resolve:
    """End the reservation."""

    settle: Settle


@dataclass(frozen=True, slots=True)
class LeaveAlone:
    """The address of step `step` does not exist: nothing more is to be sent there."""

    step: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Put the message with all its attempts on the dead-letter queue of its tenant."""


@dataclass(frozen=True, slots=True)
class AnswerCancel:
    """Answer a cancellation: `done` when nothing more will happen, otherwise `reason` says what had gone."""

    ask_id: str
    slot: int
    done: bool
    reason: str


Command = SendAttempt | Announce | Resolve | LeaveAlone | DeadLetter | AnswerCancel


@dataclass(frozen=True, slots=True)
class StatusTold:
    """The answer to StatusAsked and CancelAsked; `cascade` is None when this tenant has no such message here."""

    ask_id: str
    cascade: Cascade | None
    done: bool = True
    reason: str = ""


@quick
@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A message's new state, for callbacks, archive and receipts. (message_id, revision) names it for ever.

    `cascade` is the encoded row of the cascade: most readers never look into it.
    """

    message_id: str
    tenant_id: str
    revision: int
    event: str
    detail: str
    attempt: int
    final: bool
    channel: str
    at_ms: int
    cascade: bytes


@dataclass(frozen=True, slots=True)
class Exhausted:
    """A message that reached nobody, with its whole story: the record of the dead-letter queue."""

    message_id: str
    tenant_id: str
    reason: str
    at_ms: int
    cascade: Cascade
