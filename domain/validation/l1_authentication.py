"""Layer 1: the key behind the credential exists, is in force, belongs to the tenant and allows what is asked."""

from domain.message import Submission
from domain.tenant import Scope
from domain.validation.facts import Facts
from domain.verdict import Reject

ALLOWING: dict[str, tuple[Scope, ...]] = {"send": ("send",), "validate": ("send", "read")}
"""For each kind of submission the scopes any of which allows it."""


def check(submission: Submission, facts: Facts) -> Reject | None:
    """Refuse with `unauthorized` a key that is missing, revoked, expired or another tenant's, with `forbidden` a scope."""
    key = facts.key
    if key is None or key.tenant_id != submission.tenant_id:
        return Reject(1, "unauthorized", "The API key is unknown.")
    if key.revoked:
        return Reject(1, "unauthorized", "The API key was revoked.")
    if key.expires_at_ms and key.expires_at_ms <= facts.now_ms:
        return Reject(1, "unauthorized", "The API key has expired.")
    allowing = ALLOWING[submission.kind]
    if not any(scope in key.scopes for scope in allowing):
        return Reject(1, "forbidden", f"The API key lacks the scope {' or '.join(allowing)}.")
    return None
