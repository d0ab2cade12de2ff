"""Layer 4, balance: the plan is priced, and the dearest outcome of the cascade is set aside."""

from dataclasses import dataclass

from agents.admission.admitting import Admitting
from agents.admission.edges import ANSWER, CHECK_SCHEMA
from agents.context import Context
from domain.billing.money import Account, reserve_entry
from domain.cascade.freeze import freeze
from domain.validation import l4_balance
from domain.validation.facts import Facts
from domain.verdict import Reject
from tables.catalogue import ACCOUNTS


@dataclass(frozen=True, slots=True)
class Reserve:
    """Prices the plan; the movement is kept with the answer, so a later refusal leaves nothing behind."""

    def handle(self, value: Admitting, ctx: Context) -> None:
        """Prepare the reservation, or refuse."""
        submission, tenant = value.submission, value.tenant
        if submission.request is not None and tenant is not None:
            test = value.key is not None and value.key.test
            value.plan = freeze(submission.request, tenant, ctx.config.routes, test)
        account = ctx.get(ACCOUNTS, submission.tenant_id) or Account(submission.tenant_id)
        facts = Facts(submission.received_at_ms, tenant, value.key, account=account, plan=value.plan)
        outcome = l4_balance.check(submission, facts)
        if isinstance(outcome, Reject):
            value.reject = outcome
            ctx.count("hermes_balance_check_failures_total", tenant=submission.tenant_id)
            ctx.count("hermes_billing_reservation_failures_total", tenant=submission.tenant_id)
            ctx.emit(ANSWER, submission.tenant_id, value)
            return
        amount = value.plan.dearest_micros if value.plan else 0
        if amount:
            value.entry = reserve_entry(account, submission.message_id, amount, submission.received_at_ms)
        ctx.emit(CHECK_SCHEMA, submission.tenant_id, value)
