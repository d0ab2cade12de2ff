"""The state of one message's cascade, and of each attempt in it."""

from dataclasses import dataclass
from typing import Literal

from domain.cascade.plan import Plan
from domain.delivery import Channel
from domain.evolve import quick
from domain.message import Protocol

StateName = Literal[
    "created", "scheduled", "attempting", "waiting_confirmation", "delivered", "exhausted", "cancelled", "expired"
]
FINAL: frozenset[StateName] = frozenset({"delivered", "exhausted", "cancelled", "expired"})

AttemptState = Literal["pending", "sent", "delivered", "read", "failed", "timed_out", "skipped"]

Wake = Literal["none", "start", "retry", "timeout", "retire"]

MAX_HISTORY = 200
"""Entries kept of one message's history; beyond it the newest takes the place of the last."""


@quick
@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one step. Price and cost are those of the route that took it, known once it was sent."""

    number: int
    step: int
    channel: Channel
    state: AttemptState
    started_at_ms: int
    carrier: str = ""
    provider_ids: tuple[str, ...] = ()
    code: str = ""
    detail: str = ""
    completed_at_ms: int = 0
    segments: int = 0
    price_micros: int = 0
    cost_micros: int = 0
    late: bool = False
    redundant: bool = False
    unknown: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a message's timeline."""

    at_ms: int
    event: str
    attempt: int
    detail: str


@quick
@dataclass(frozen=True, slots=True)
class Cascade:
    """Where a message stands.

    `wake_at_ms` is when the engine wants to be woken and `wake` what for; `timer` counts the wakes asked for, so a firing
    with another number is stale. `step_deadline_ms` ends the retries of the current step, `deadline_ms` ends everything.
    `stop` is set by a cancellation that came while an attempt was with a carrier: nothing follows it.
    """

    message_id: str
    tenant_id: str
    plan: Plan
    reserved_micros: int
    created_at_ms: int
    deadline_ms: int
    trace_id: str
    state: StateName = "created"
    step: int = 0
    retries: int = 0
    attempts: tuple[Attempt, ...] = ()
    history: tuple[Entry, ...] = ()
    updated_at_ms: int = 0
    step_deadline_ms: int = 0
    wake: Wake = "none"
    wake_at_ms: int = 0
    timer: int = 0
    stop: bool = False
    confirmed_by: int = 0
    charged_micros: int = 0
    revision: int = 0
    callback: bool = False
    protocol: Protocol = "rest"
    recipient_hash: str = ""
    reference: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing but annotations can follow."""
        return self.state in FINAL

    @property
    def current(self) -> Attempt | None:
        """The attempt that is with an egress or a carrier now, or None between attempts."""
        if not self.attempts:
            return None
        last = self.attempts[-1]
        return last if last.step == self.step and last.state in ("pending", "sent") else None
