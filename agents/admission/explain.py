"""The dry run: every layer is asked, nothing is taken, and the answer explains what would happen."""

from dataclasses import dataclass

from agents.admission.admitting import answer_key
from agents.admission.judge import put_off
from agents.admission.limit import slide
from agents.admission.spare import suppressed_steps
from agents.context import Context
from domain.billing.money import Account
from domain.cascade.freeze import freeze
from domain.cascade.plan import Plan
from domain.message import Submission
from domain.routing.decision import RoutingDecision
from domain.routing.select import select
from domain.validation.explain import explain
from domain.validation.facts import Facts
from domain.validation.l6_compliance import suppressed
from domain.validation.order import LAYERS
from domain.verdict import Defer, Reject, Verdict
from schemas.topics import VERDICTS
from tables.catalogue import ACCOUNTS, DECISIONS, WINDOWS

COMPLIANCE = 6


@dataclass(frozen=True, slots=True)
class Explain:
    """Answers `validate` with the word of each layer, the plan, and the routes with their losers."""

    def handle(self, value: Submission, ctx: Context) -> None:
        """Ask all layers and report."""
        tenant, key = ctx.config.tenant(value.tenant_id), ctx.config.key(value.key_id)
        plan: Plan | None = None
        if value.request is not None and tenant is not None:
            plan = freeze(value.request, tenant, ctx.config.routes, key is not None and key.test)
        hits = suppressed_steps(plan, value.tenant_id, ctx) if plan else ()
        stored = ctx.get(DECISIONS, answer_key(value))
        window = slide(ctx.get(WINDOWS, value.tenant_id), value.received_at_ms)
        facts = Facts(
            value.received_at_ms, tenant, key, stored.fingerprint if stored else None, sum(window.counts),
            account=ctx.get(ACCOUNTS, value.tenant_id) or Account(value.tenant_id), plan=plan,
        )  # fmt: skip
        outcomes: list[tuple[int, str, Reject | Defer | None]] = []
        for number, name, check in LAYERS:
            outcome = check(value, facts)
            if number == COMPLIANCE and plan is not None and hits:
                outcome = suppressed(plan, hits) or outcome
                plan = plan.without(hits)
            outcomes.append((number, name, outcome))
            if isinstance(outcome, Defer):
                plan = put_off(plan, outcome)
        decisions = self._routes(value, plan, ctx) if plan else ()
        report = explain(value, facts, outcomes, plan, decisions)
        verdict = Verdict(value.message_id, value.message_id, value.tenant_id, value.received_at_ms, report=report)
        ctx.emit(VERDICTS, value.message_id, verdict, partition=value.slot)

    def _routes(self, value: Submission, plan: Plan, ctx: Context) -> tuple[RoutingDecision, ...]:
        key = ctx.config.key(value.key_id)
        return tuple(
            select(
                ctx.config.routes(s.step.channel, s.address, key is not None and key.test), ctx.carriers,
                value.message_id, value.tenant_id, number, s.step.channel, s.segments, value.received_at_ms, frozenset(),
            )
            for number, s in enumerate(plan.steps, start=1)
            if not s.skip
        )  # fmt: skip
