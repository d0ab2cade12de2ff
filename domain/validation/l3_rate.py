"""Layer 3: the tenant and the key stay within their messages a second, counted in a sliding window."""

from domain.message import Submission
from domain.validation.facts import Facts
from domain.verdict import Reject


def check(_submission: Submission, facts: Facts) -> Reject | None:
    """Refuse what exceeds the tenant's limit or the key's own; the answer says when the next message may come."""
    tenant, key = facts.tenant, facts.key
    if tenant is not None and facts.used >= tenant.rate_per_s:
        limit = tenant.rate_per_s
        return _exceeded(
            f"Rate limit exceeded for tenant tier {tenant.tier.capitalize()} ({limit} msg/sec)", limit, facts
        )
    if key is not None and key.rate_per_s and facts.key_used >= key.rate_per_s:
        limit = key.rate_per_s
        return _exceeded(f"Rate limit exceeded for API key {key.label or key.key_id} ({limit} msg/sec)", limit, facts)
    return None


def _exceeded(message: str, limit: int, facts: Facts) -> Reject:
    reset_at_ms = max(facts.window_resets_ms, facts.now_ms + 1)
    return Reject(
        3,
        "rate_limit_exceeded",
        message,
        retry_after_ms=reset_at_ms - facts.now_ms,
        limit=limit,
        reset_at_ms=reset_at_ms,
    )
