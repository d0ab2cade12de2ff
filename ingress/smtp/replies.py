"""Refusals and errors as SMTP replies: one table, and texts that stay one line (RFC 5321 section 4.2, RFC 3463)."""

from typing import Final

from domain.errors import Code
from domain.verdict import Reject

MAX_REPLY_OCTETS: Final = 512
"""RFC 5321 section 4.5.3.1.5, with the line end."""
MAX_DETAILS: Final = 5

BUSY: Final = "451 4.3.0 Hermes cannot answer in time; try again"
SHUT_DOWN: Final = "421 4.3.2 Hermes is shutting down"
TOO_SLOW: Final = "421 4.4.2 Timed out"
TOO_MANY_ERRORS: Final = "421 4.7.0 Too many errors"
SEQUENCE: Final = "503 5.5.1 Bad sequence of commands"
SYNTAX: Final = "501 5.5.4 Syntax error in parameters"
AUTH_REQUIRED: Final = "530 5.7.0 Authentication required"

_BY_CODE: Final[dict[Code, str]] = {
    "invalid_json": "554 5.6.0",
    "payload_too_large": "552 5.3.4",
    "unsupported_media_type": "554 5.6.1",
    "unauthorized": "550 5.7.1",
    "forbidden": "550 5.7.1",
    "tenant_provisioning": "451 4.3.0",
    "tenant_suspended": "550 5.7.1",
    "tenant_deactivated": "550 5.7.1",
    "not_found": "554 5.6.0",
    "method_not_allowed": "554 5.6.0",
    "conflict": "554 5.6.0",
    "idempotency_key_reused": "554 5.6.0",
    "idempotency_in_progress": "451 4.3.0",
    "rate_limit_exceeded": "451 4.7.1",
    "insufficient_balance": "552 5.2.2",
    "validation_failed": "554 5.6.0",
    "compliance_blocked": "550 5.7.1",
    "content_violation": "554 5.6.0",
    "no_route": "554 5.6.0",
    "overloaded": "451 4.3.0",
    "internal_error": "451 4.3.0",
}


def is_temporary(reply: str) -> bool:
    """Whether a client repeats after this reply."""
    return reply.startswith("4")


def refusal(reject: Reject) -> str:
    """The one-line reply to a verdict: code, enhanced code, the layer's sentence, and the fields that are wrong."""
    words = [_BY_CODE[reject.code], reject.message]
    words += [f"[{error.path}: {error.message}]" for error in reject.errors[:MAX_DETAILS]]
    if reject.compliance_code:
        words.append(f"({reject.compliance_code})")
    if reject.retry_after_ms:
        words.append(f"(try again in {-(-reject.retry_after_ms // 1_000)} s)")
    return line(" ".join(words))


def line(text: str) -> str:
    """`text` as one reply line of printable ASCII within MAX_REPLY_OCTETS; what is no ASCII becomes a question mark."""
    plain = text.encode("ascii", "replace").decode("ascii")
    return "".join(c if c.isprintable() else " " for c in plain)[: MAX_REPLY_OCTETS - 2]


def lines(first: str, rest: list[str]) -> str:
    """A reply of several lines (parted by LF) with the code of `first`, such as `250 2.0.0 Ok`, on each of them."""
    code, enhanced, _ = first.split(" ", 2)
    texts = [line(first), *(line(f"{code} {enhanced} {text}") for text in rest)]
    return "\n".join([f"{one[:3]}-{one[4:]}" for one in texts[:-1]] + texts[-1:])
