"""Announces each state of a message: to the status topic, and to the tenant's callback when it is final."""

from dataclasses import dataclass, field

import structlog

from agents.callbacks import callback
from agents.cascade.edges import COUNT, ToAnnounce, ToCount
from agents.context import Context
from domain.cascade.commands import Announce, StatusChanged
from domain.cascade.states import Cascade
from schemas.rows import CallbackDue
from schemas.topics import RECEIPTS, STATUS, WEBHOOKS

log = structlog.get_logger()

NEWEST_WEIGHT = 0.01
"""How much the newest end counts in a tenant's moving share of deliveries."""


@dataclass(frozen=True, slots=True)
class Tell:
    """One status a message and batch: its newest, which holds the whole timeline; (message, revision) names it.

    A message that takes several steps within a batch is announced once. Receipts for SMPP clients are told step by step.
    """

    public_url: str
    _latest: dict[str, ToAnnounce] = field(default_factory=dict)
    _success: dict[str, float] = field(default_factory=dict)

    def handle(self, value: ToAnnounce, ctx: Context) -> None:
        """Keep the state for the end of the batch; what must be said of each change is said now."""
        state = value.cascade
        before = self._latest.get(state.message_id)
        final = value.announce.final or (before is not None and before.announce.final)
        self._latest[state.message_id] = ToAnnounce(state, Announce(final))
        if state.protocol == "smpp":
            ctx.emit(RECEIPTS, state.message_id, _changed(state, value.announce.final, ctx))
        if not value.announce.final:
            return
        ctx.count("hermes_cascade_messages_total", state=state.state)
        if state.state != "delivered":  # what went well is counted, and on its topics
            log.info(
                "message_ended", message_id=state.message_id, tenant_id=state.tenant_id, trace_id=state.trace_id,
                state=state.state, attempts=len(state.attempts),
            )  # fmt: skip
        ctx.emit(COUNT, state.tenant_id, ToCount(state.tenant_id, _channel(state), state.state, state.updated_at_ms))
        self._measure(state, ctx)
        if state.callback:
            ctx.emit(WEBHOOKS, state.tenant_id, self._callback(state))

    def finish(self, ctx: Context) -> None:
        """The batch is over: announce where each of its messages stands."""
        for message_id, told in self._latest.items():
            ctx.emit(STATUS, message_id, _changed(told.cascade, told.announce.final, ctx))
        self._latest.clear()

    def _measure(self, state: Cascade, ctx: Context) -> None:
        """How long each attempt took, what it cost, and which step reached the recipient."""
        for a in state.attempts:
            if a.completed_at_ms and a.state != "skipped":
                ctx.observe(
                    "hermes_cascade_step_duration_seconds",
                    (a.completed_at_ms - a.started_at_ms) / 1000,
                    channel=a.channel,
                )
            if a.cost_micros:
                ctx.observe("hermes_carrier_cost_per_message", a.cost_micros / 1_000_000, carrier=a.carrier)
        delivered = float(state.state == "delivered")
        rate = self._success.get(state.tenant_id, delivered)
        self._success[state.tenant_id] = rate = rate + NEWEST_WEIGHT * (delivered - rate)
        ctx.gauge("hermes_cascade_success_rate", rate, tenant=state.tenant_id)
        if state.confirmed_by:
            ctx.observe("hermes_cascade_depth_total", state.attempts[state.confirmed_by - 1].step + 1)

    def _callback(self, state: Cascade) -> CallbackDue:
        data = {
            "message_id": state.message_id,
            "state": state.state,
            "reference": state.reference,
            "confirmed_by": state.confirmed_by or None,
            "charged_micros": state.charged_micros,
            "attempts": [
                {"number": a.number, "channel": a.channel, "state": a.state, "carrier": a.carrier, "code": a.code}
                for a in state.attempts
            ],
            "tracking_url": f"{self.public_url}/v1/messages/{state.message_id}",
        }
        return callback(
            f"evt-{state.message_id}-{state.state}", state.tenant_id, state.message_id, f"message.{state.state}",
            state.updated_at_ms, data,
        )  # fmt: skip


def _changed(state: Cascade, final: bool, ctx: Context) -> StatusChanged:
    """The newest line; of a message that has just ended, the line of its end, though an annotation may have followed it."""
    lines = reversed(state.history)
    newest = (
        next((line for line in lines if line.event == state.state), state.history[-1]) if final else state.history[-1]
    )
    return StatusChanged(
        state.message_id, state.tenant_id, state.revision, newest.event, newest.detail, newest.attempt,
        final, _channel(state), newest.at_ms, ctx.encode(state),
    )  # fmt: skip


def _channel(state: Cascade) -> str:
    """The channel that the newest line is about: of the attempt that confirmed, or that it names, or of the current step."""
    about = state.confirmed_by or state.history[-1].attempt
    return state.attempts[about - 1].channel if about else state.plan.steps[state.step].step.channel
