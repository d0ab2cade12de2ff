"""Layer 6, first half: steps to addresses that want to be left alone are passed over; a message with no step left is refused."""

from dataclasses import dataclass

from agents.admission.admitting import Admitting
from agents.admission.edges import ANSWER, MIND_HOURS
from agents.context import Context
from domain.cascade.plan import Plan
from domain.inbound import suppression_key
from domain.validation.l6_compliance import suppressed
from tables.catalogue import SUPPRESSED


@dataclass(frozen=True, slots=True)
class Spare:
    """Looks each address up in the tenant's suppressions."""

    def handle(self, value: Admitting, ctx: Context) -> None:
        """Mark the steps, or refuse."""
        tenant_id = value.submission.tenant_id
        if value.plan is not None:
            value.suppressed = suppressed_steps(value.plan, tenant_id, ctx)
            if value.suppressed:
                value.reject = suppressed(value.plan, value.suppressed)
                value.plan = value.plan.without(value.suppressed)
        ctx.emit(ANSWER if value.reject else MIND_HOURS, tenant_id, value)


def suppressed_steps(plan: Plan, tenant_id: str, ctx: Context) -> tuple[int, ...]:
    """The steps of a plan, by their place, whose address is on the tenant's list for their channel."""
    return tuple(
        n
        for n, s in enumerate(plan.steps)
        if not s.skip and ctx.get(SUPPRESSED, suppression_key(tenant_id, s.step.channel, s.address)) is not None
    )
