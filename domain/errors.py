"""The catalogue of refusals: every code that a client can meet, with its HTTP status and title."""

from dataclasses import dataclass
from typing import Literal, get_args

Code = Literal[
    "invalid_json",
    "payload_too_large",
    "unsupported_media_type",
    "unauthorized",
    "forbidden",
    "tenant_provisioning",
    "tenant_suspended",
    "tenant_deactivated",
    "not_found",
    "method_not_allowed",
    "conflict",
    "idempotency_key_reused",
    "idempotency_in_progress",
    "rate_limit_exceeded",
    "insufficient_balance",
    "validation_failed",
    "compliance_blocked",
    "content_violation",
    "no_route",
    "overloaded",
    "internal_error",
]
CODES: tuple[Code, ...] = get_args(Code)

_STATUS: dict[Code, tuple[int, str]] = {
    "invalid_json": (400, "The body is not valid JSON"),
    "payload_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The body must be application/json"),
    "unauthorized": (401, "The credential is missing, unknown, revoked or expired"),
    "forbidden": (403, "The credential does not allow this"),
    "tenant_provisioning": (503, "The tenant is still being provisioned"),
    "tenant_suspended": (403, "The account is suspended"),
    "tenant_deactivated": (410, "The account is deactivated"),
    "not_found": (404, "There is nothing here"),
    "method_not_allowed": (405, "The method is not allowed here"),
    "conflict": (409, "The state does not allow this"),
    "idempotency_key_reused": (422, "The idempotency key was used with another body"),
    "idempotency_in_progress": (409, "A request with this idempotency key is still running"),
    "rate_limit_exceeded": (429, "The rate limit is exceeded"),
    "insufficient_balance": (402, "The balance does not cover this message"),
    "validation_failed": (422, "The request does not validate"),
    "compliance_blocked": (451, "A regulation forbids this message"),
    "content_violation": (422, "The content is not allowed"),
    "no_route": (422, "No route leads to this recipient"),
    "overloaded": (503, "Hermes cannot answer in time"),
    "internal_error": (500, "An unexpected error"),
}


def status_of(code: Code) -> int:
    """The HTTP status that answers `code`."""
    return _STATUS[code][0]


def title_of(code: Code) -> str:
    """The short, constant sentence for `code` (RFC 9457 `title`)."""
    return _STATUS[code][1]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field: `path` is dotted (`to.email`, `routing.channels.0.timeout`)."""

    path: str
    code: str
    message: str


class TransientError(Exception):
    """Something outside did not answer in time; the same request may succeed after `retry_after_ms`."""

    def __init__(self, message: str, retry_after_ms: int) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class PermanentError(Exception):
    """A request that cannot succeed as it is; `code` is from the catalogue."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code


class ConfigError(Exception):
    """The configuration is wrong; the message names the key and what it should be."""
