"""What passes from layer to layer: the submission and what has been found out and taken for it so far."""

from dataclasses import dataclass

from domain.audit.chain import AuditEntry
from domain.billing.money import LedgerEntry
from domain.cascade.plan import Plan
from domain.message import Submission
from domain.tenant import ApiKey, Tenant
from domain.validation.facts import Facts
from domain.verdict import Reject
from schemas.rows import StoredDecision


@dataclass(slots=True)
class Admitting:
    """One submission on its way through the layers; each layer fills in what is its own.

    `stored` is set when this very submission was decided before: what was decided is then told again.
    """

    submission: Submission
    tenant: Tenant | None = None
    key: ApiKey | None = None
    plan: Plan | None = None
    entry: LedgerEntry | None = None
    audit: AuditEntry | None = None
    reject: Reject | None = None
    stored: StoredDecision | None = None
    suppressed: tuple[int, ...] = ()
    limit: int = 0
    remaining: int = 0
    reset_at_ms: int = 0
    _facts: Facts | None = None

    def facts(self) -> Facts:
        """What stateless layers know; the same value until the plan is another."""
        known = self._facts
        if known is None or known.plan is not self.plan:
            known = self._facts = Facts(self.submission.received_at_ms, self.tenant, self.key, plan=self.plan)
        return known

    @property
    def store_key(self) -> str:
        """The key of its answer: the tenant with the client's idempotency key, or with its own id."""
        return answer_key(self.submission)


def answer_key(submission: Submission) -> str:
    """The key under which the answer to a submission is kept; never the same for two tenants."""
    own = submission.idempotency_key
    return f"{submission.tenant_id}/k/{own}" if own else f"{submission.tenant_id}/m/{submission.message_id}"
