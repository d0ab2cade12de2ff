"""Follows every message: joins what happened with the message's row, decides, saves, and carries out the commands."""

from dataclasses import dataclass
from typing import assert_never

from agents.cascade.edges import ANNOUNCE, COUNT, ROUTE_ATTEMPT, ToAnnounce, ToCount, ToRoute
from agents.context import Context
from domain.accepted import Message
from domain.cascade.commands import (
    Announce,
    AnswerCancel,
    Command,
    DeadLetter,
    Exhausted,
    LeaveAlone,
    Resolve,
    SendAttempt,
    StatusTold,
)
from domain.cascade.engine import begin, decide, is_retired
from domain.cascade.events import Accepted, CancelAsked, Event, Happening, StatusAsked
from domain.cascade.states import Cascade
from domain.inbound import Suppress
from schemas.topics import BILLING, DLQ, INBOUND, VERDICTS
from tables.catalogue import CASCADE_ROWS, MESSAGE_ROWS


@dataclass(frozen=True, slots=True)
class Follow:
    """Owns the rows of messages and cascades; a cascade's row is its timer, too. A final state is kept for `keep_final_ms`."""

    keep_final_ms: int

    def handle(self, value: Event, ctx: Context) -> None:
        """Make of the row what the event makes of it."""
        match value:
            case StatusAsked():
                self._tell(value, ctx)
            case Accepted():
                self._begin(value, ctx)
            case _:
                self._go_on(value, ctx)

    def _begin(self, event: Accepted, ctx: Context) -> None:
        known = ctx.get(CASCADE_ROWS, event.message_id)
        message: Message | None = ctx.get(MESSAGE_ROWS, event.message_id)
        if message is None:
            message = ctx.decode(event.message)
            ctx.put(MESSAGE_ROWS, event.message_id, message)
        if known is not None:
            return
        state, commands = begin(message, self.keep_final_ms)
        ctx.put(CASCADE_ROWS, state.message_id, state)
        ctx.emit(
            COUNT,
            state.tenant_id,
            ToCount(state.tenant_id, state.plan.steps[0].step.channel, "accepted", state.created_at_ms),
        )
        self._carry_out(state, commands, ctx)

    def _go_on(self, event: Happening, ctx: Context) -> None:
        state = ctx.get(CASCADE_ROWS, event.message_id)
        if state is None or (isinstance(event, CancelAsked) and event.tenant_id != state.tenant_id):
            if isinstance(event, CancelAsked):
                ctx.emit(VERDICTS, event.ask_id, StatusTold(event.ask_id, None), partition=event.slot)
            return
        if is_retired(state, event):
            ctx.delete(CASCADE_ROWS, event.message_id)
            ctx.delete(MESSAGE_ROWS, event.message_id)
            return
        after, commands = decide(state, event, self.keep_final_ms)
        if after is not state:
            ctx.put(CASCADE_ROWS, after.message_id, after)
        self._carry_out(after, commands, ctx)

    def _tell(self, asked: StatusAsked, ctx: Context) -> None:
        state = ctx.get(CASCADE_ROWS, asked.message_id)
        mine = state if state is not None and state.tenant_id == asked.tenant_id else None
        ctx.emit(VERDICTS, asked.ask_id, StatusTold(asked.ask_id, mine), partition=asked.slot)

    def _carry_out(self, state: Cascade, commands: tuple[Command, ...], ctx: Context) -> None:
        for command in commands:
            match command:
                case SendAttempt():
                    message = ctx.get(MESSAGE_ROWS, state.message_id)
                    if message is None:
                        raise RuntimeError(f"the row of message {state.message_id} is missing")
                    ctx.emit(ROUTE_ATTEMPT, state.message_id, ToRoute(message, state, command))
                case Announce():
                    ctx.emit(ANNOUNCE, state.message_id, ToAnnounce(state, command))
                case Resolve(settle):
                    ctx.emit(BILLING, state.tenant_id, settle)
                case LeaveAlone(step, at_ms):
                    planned = state.plan.steps[step]
                    ctx.emit(INBOUND, state.tenant_id, Suppress(
                        state.tenant_id, planned.step.channel, planned.address, "hard_bounce", at_ms, state.message_id,
                    ))  # fmt: skip
                case DeadLetter():
                    reason = state.attempts[-1].code if state.attempts else ""
                    dead = Exhausted(
                        state.message_id, state.tenant_id, f"{state.state} {reason}".strip(), state.updated_at_ms, state
                    )
                    ctx.emit(DLQ, state.tenant_id, dead)
                case AnswerCancel(ask_id, slot, done, reason):
                    ctx.emit(VERDICTS, ask_id, StatusTold(ask_id, state, done, reason), partition=slot)
                case _ as unreachable:
                    assert_never(unreachable)
