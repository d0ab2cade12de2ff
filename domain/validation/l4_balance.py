"""Layer 4: the tenant's money covers the dearest outcome of the cascade."""

from domain.message import Submission
from domain.validation.facts import Facts
from domain.verdict import Reject


def check(submission: Submission, facts: Facts) -> Reject | None:
    """Refuse what the balance, with an overdraft where one is granted, does not cover; `alert` lets everything pass.

    No account counts as nothing on it. What costs nothing passes, and so does what could not be read: layer 5 answers it.
    """
    if submission.request is None or facts.plan is None or facts.tenant is None:
        return None
    required = facts.plan.dearest_micros
    if required <= 0 or facts.tenant.overage == "alert":
        return None
    balance = facts.account.available_micros if facts.account is not None else 0
    overdraft = facts.tenant.overdraft_micros if facts.tenant.overage == "overdraft" else 0
    if required <= balance + overdraft:
        return None
    message = (
        "The overdraft is used up. Add credits or raise the limit."
        if overdraft
        else "Prepaid balance exhausted. Add credits or upgrade to postpaid."
    )
    return Reject(4, "insufficient_balance", message, balance_micros=balance, required_micros=required)
