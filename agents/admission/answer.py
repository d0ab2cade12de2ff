"""The end of admission: keep what was decided, then tell it; accepted messages go on to the cascade."""

from dataclasses import dataclass

from agents.admission.admitting import Admitting
from agents.admission.judge import put_off
from agents.admission.record import address_of
from agents.context import Context
from domain.accepted import Message
from domain.audit.chain import ChainHead, recipient_hash
from domain.billing.money import Account, apply
from domain.cascade.events import Accepted
from domain.cascade.freeze import freeze
from domain.cascade.plan import Plan
from domain.errors import Code
from domain.evolve import evolve
from domain.tenant import Tenant
from domain.validation import l6_compliance
from domain.validation.facts import Facts
from domain.verdict import Defer, Verdict
from schemas.rows import StoredDecision
from schemas.topics import AUDIT, CASCADE, LEDGER, VERDICTS
from tables.catalogue import ACCOUNTS, CHAINS, DECISIONS

NOT_KEPT: frozenset[Code] = frozenset({"unauthorized", "rate_limit_exceeded", "tenant_provisioning", "overloaded"})
"""Refusals that a repetition may outlive: the same key is judged anew."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Owns the answers. A submission that was decided before is told the same again, with all that follows from it."""

    salt_key: bytes
    keep_answers_ms: int

    def handle(self, value: Admitting, ctx: Context) -> None:
        """Decide, keep, tell."""
        decision = value.stored or self._decide(value, ctx.offset)
        if value.stored is not None and value.stored.verdict.reject is None:
            value.plan = plan_again(value, value.stored.suppressed, ctx)
        if value.stored is None and (value.reject is None or value.reject.code not in NOT_KEPT):
            ctx.put(DECISIONS, value.store_key, decision)
        self._move_money(decision, value, ctx)
        self._chain(decision, ctx)
        reject = decision.verdict.reject
        if reject is None:
            ctx.emit(
                CASCADE, decision.message_id, Accepted(decision.message_id, ctx.encode(self._message(value, decision)))
            )
        if value.stored is None:
            if reject is None:
                ctx.count("hermes_validation_pass_total")
            else:
                ctx.count("hermes_validation_rejections_total", layer=str(reject.layer), reason=reject.code)
                if reject.regulation:
                    ctx.count("hermes_compliance_blocks_total", regulation=reject.regulation)
        ctx.emit(VERDICTS, decision.message_id, decision.verdict, partition=value.submission.slot)

    def _decide(self, value: Admitting, offset: int) -> StoredDecision:
        submission, request = value.submission, value.submission.request
        accepted = value.reject is None
        verdict = Verdict(
            submission.message_id, submission.message_id, submission.tenant_id, submission.received_at_ms, value.reject,
            limit=value.limit, remaining=value.remaining, reset_at_ms=value.reset_at_ms,
        )  # fmt: skip
        counts_from = max(submission.received_at_ms, request.send_at_ms if request and accepted else 0)
        return StoredDecision(
            submission.message_id, submission.fingerprint, verdict,
            value.entry.reserved_micros if accepted and value.entry else 0,
            value.entry if accepted else None,
            value.audit, counts_from + self.keep_answers_ms, value.suppressed, offset,
        )  # fmt: skip

    def _move_money(self, decision: StoredDecision, value: Admitting, ctx: Context) -> None:
        if decision.entry is None:
            return
        tenant_id = value.submission.tenant_id
        account = ctx.get(ACCOUNTS, tenant_id) or Account(tenant_id)
        if account.submissions_offset < ctx.offset == decision.offset:
            ctx.put(ACCOUNTS, tenant_id, evolve(apply(account, decision.entry), submissions_offset=ctx.offset))
        ctx.emit(LEDGER, tenant_id, decision.entry)

    def _chain(self, decision: StoredDecision, ctx: Context) -> None:
        entry = decision.audit
        if entry is None:
            return
        head = ctx.get(CHAINS, entry.tenant_id)
        if decision.offset == ctx.offset and (head is None or head.offset < ctx.offset):
            ctx.put(CHAINS, entry.tenant_id, ChainHead(entry.tenant_id, entry.seq, entry.hash, ctx.offset))
        ctx.emit(AUDIT, entry.tenant_id, entry)

    def _message(self, value: Admitting, decision: StoredDecision) -> Message:
        submission, request, test = value.submission, value.submission.request, bool(value.key and value.key.test)
        if request is None:
            raise RuntimeError(f"{submission.message_id} was accepted without a request")
        tenant = value.tenant or Tenant(submission.tenant_id, "", "starter", "deactivated")
        if value.plan is None:
            raise RuntimeError(f"{submission.message_id} was accepted without a plan")
        return Message(
            submission.message_id, submission.tenant_id, submission.key_id, test, submission.protocol,
            request.to, request.body,
            request.sender if "@" in request.sender else f"no-reply@{tenant.from_domain}",
            request.sender if request.sender and "@" not in request.sender else tenant.sender_id,
            tenant.name, value.plan, decision.reserved_micros, tenant.currency, tenant.has_webhook,
            submission.trace_id, submission.received_at_ms,
            decision.audit.recipient_hash
            if decision.audit
            else recipient_hash(self.salt_key, submission.tenant_id, address_of(request.to)),
            request.reference, request.metadata,
        )  # fmt: skip


def plan_again(value: Admitting, suppressed: tuple[int, ...], ctx: Context) -> Plan | None:
    """The plan of a submission that was accepted before: the same rules over the same request, the same steps passed over."""
    submission, request = value.submission, value.submission.request
    if request is None:
        return None
    tenant = value.tenant or Tenant(submission.tenant_id, "", "starter", "deactivated")
    plan = freeze(request, tenant, ctx.config.routes, bool(value.key and value.key.test))
    plan = plan.without(suppressed) if suppressed else plan
    outcome = l6_compliance.check(submission, Facts(submission.received_at_ms, tenant, value.key, plan=plan))
    return put_off(plan, outcome) if isinstance(outcome, Defer) else plan
