"""Layer 2: the tenant is active."""

from typing import assert_never

from domain.message import Submission
from domain.validation.facts import Facts
from domain.verdict import Reject

PROVISIONING_RETRY_AFTER_MS = 5_000


def check(_submission: Submission, facts: Facts) -> Reject | None:
    """Refuse what a tenant sends that is not active: not yet (503), not now (403, with the reason), or not any more (410)."""
    tenant = facts.tenant
    if tenant is None:
        return Reject(2, "unauthorized", "The API key belongs to no account.")
    match tenant.status:
        case "active":
            return None
        case "provisioning":
            return Reject(
                2, "tenant_provisioning", "Tenant still provisioning.", retry_after_ms=PROVISIONING_RETRY_AFTER_MS
            )
        case "suspended":
            reason = f": {tenant.status_reason}" if tenant.status_reason else ""
            return Reject(2, "tenant_suspended", f"Account suspended{reason}")
        case "deactivated":
            return Reject(2, "tenant_deactivated", "Account deactivated.")
        case _ as unreachable:
            assert_never(unreachable)
