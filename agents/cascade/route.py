"""The smart router: picks the carrier for an attempt, records why, and hands the attempt to its topic."""

from dataclasses import dataclass

from agents.cascade.edges import ToRoute
from agents.context import Context
from domain.accepted import Message
from domain.cascade.events import AttemptFailed
from domain.delivery import AttemptDue
from domain.routing.decision import RoutingDecision
from domain.routing.select import select
from schemas.topics import CASCADE, DECISIONS, attempts_topic
from schemas.unsubscribe import Leaving, Unsubscribing

TRACE_HEADER = "X-Hermes-Trace"
"""On every mail: one that comes back to our own SMTP server is known by it."""


@dataclass(frozen=True, slots=True)
class Route:
    """Geography, then cost, health and capacity; carriers that this step has tried come last. Mail gets `links` to leave by."""

    links: Unsubscribing

    def handle(self, value: ToRoute, ctx: Context) -> None:
        """Decide on a carrier and send the attempt there."""
        message, send = value.message, value.send
        planned = message.plan.steps[send.step]
        tried = frozenset(a.carrier for a in value.cascade.attempts if a.step == send.step and a.carrier)
        routes = ctx.config.routes(send.channel, planned.address, message.test)
        decision = select(
            routes, ctx.carriers, message.message_id, message.tenant_id, send.attempt, send.channel,
            planned.segments, send.at_ms, tried,
        )  # fmt: skip
        ctx.emit(DECISIONS, message.message_id, decision)
        ctx.count("hermes_routing_decisions_total", path=decision.path or "none")
        ctx.count("hermes_cascade_step_attempts_total", channel=send.channel)
        if not decision.carrier:
            failed = AttemptFailed(
                message.message_id,
                send.attempt,
                send.at_ms,
                "",
                True,
                "no_route",
                "no route is left for this recipient",
            )
            ctx.emit(CASCADE, message.message_id, failed)
            return
        due = self._due(value, decision)
        ctx.emit(attempts_topic(send.channel, decision.carrier), message.message_id, due)

    def _due(self, value: ToRoute, decision: RoutingDecision) -> AttemptDue:
        message, send = value.message, value.send
        planned = message.plan.steps[send.step]
        won = next(c for c in decision.candidates if c.route_id == decision.route_id)
        return AttemptDue(
            message.message_id, send.attempt, message.tenant_id, send.step, send.channel, decision.carrier,
            planned.address,
            message.sender_email if send.channel == "email" else message.sender_sms,
            message.sender_name, message.body.subject, message.body.text, message.body.html,
            send.at_ms, send.expires_at_ms, planned.segments,
            won.price_micros, won.cost_micros, message.trace_id,
            self._headers(message, planned.address) if send.channel == "email" else {},
        )  # fmt: skip

    def _headers(self, message: Message, address: str) -> dict[str, str]:
        trace = {TRACE_HEADER: message.message_id}
        return trace | self.links.headers(Leaving(message.tenant_id, "email", address))
