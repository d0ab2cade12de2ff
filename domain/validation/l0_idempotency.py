"""Layer 0: an idempotency key names one request; the same key with another body is refused."""

import re

from domain.errors import FieldError
from domain.message import Submission
from domain.validation.facts import Facts
from domain.verdict import Reject

MAX_KEY_CHARS = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def check(submission: Submission, facts: Facts) -> Reject | None:
    """Refuse a key used with another body, and a key that is none; the same body passes: its answer is repeated later."""
    key = submission.idempotency_key
    if len(key) > MAX_KEY_CHARS:
        return _bad_key("too_long", f"must be at most {MAX_KEY_CHARS} characters long")
    if _CONTROL.search(key):
        return _bad_key("invalid_characters", "must not hold control characters")
    if facts.stored_fingerprint is not None and facts.stored_fingerprint != submission.fingerprint:
        return Reject(
            0,
            "idempotency_key_reused",
            "This idempotency key was used with another body; use a new key for a new message.",
        )
    return None


def _bad_key(code: str, message: str) -> Reject:
    error = FieldError("idempotency_key", code, message)
    return Reject(0, "validation_failed", f"idempotency_key {message}.", (error,))
