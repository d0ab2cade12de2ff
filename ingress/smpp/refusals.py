"""The command_status for each refusal: of every layer, and of what the server itself refuses."""

from typing import Final

from domain.errors import Code, FieldError
from domain.verdict import Reject
from schemas.smpp import status as s

ESME_RCANCELFAIL: Final = 0x11
ESME_RREPLACEFAIL: Final = 0x13
ESME_RQUERYFAIL: Final = 0x67
VENDOR_NOT_TEXT: Final = 0x0400
"""Vendor codes lie in 0x0400 to 0x04ff (SMPP 3.4 section 5.1.3)."""

_STANDARD: Final[dict[Code, int]] = {
    "idempotency_key_reused": s.ESME_RSUBMITFAIL,
    "idempotency_in_progress": s.ESME_RSYSERR,
    "unauthorized": s.ESME_RSUBMITFAIL,
    "forbidden": s.ESME_RSUBMITFAIL,
    "tenant_provisioning": s.ESME_RSYSERR,
    "tenant_suspended": s.ESME_RSUBMITFAIL,
    "tenant_deactivated": s.ESME_RSUBMITFAIL,
    "rate_limit_exceeded": s.ESME_RTHROTTLED,
    "insufficient_balance": s.ESME_RSUBMITFAIL,
    "compliance_blocked": s.ESME_RSUBMITFAIL,
    "content_violation": s.ESME_RSUBMITFAIL,
    "no_route": s.ESME_RINVDSTADR,
    "overloaded": s.ESME_RMSGQFUL,
    "internal_error": s.ESME_RSYSERR,
}
_VENDOR: Final[dict[Code, int]] = {
    "idempotency_key_reused": 0x0401,
    "unauthorized": 0x0402,
    "forbidden": 0x0403,
    "tenant_suspended": 0x0404,
    "tenant_deactivated": 0x0405,
    "insufficient_balance": 0x0406,
    "compliance_blocked": 0x0407,
    "content_violation": 0x0408,
}
_FIELDS: Final[tuple[tuple[str, int], ...]] = (
    ("to", s.ESME_RINVDSTADR),
    ("sender", s.ESME_RINVSRCADR),
    ("body", s.ESME_RINVMSGLEN),
    ("send_at", s.ESME_RINVSCHED),
    ("routing", s.ESME_RINVEXPIRY),
    ("idempotency_key", s.ESME_RINVOPTPARAMVAL),
    ("metadata", s.ESME_RINVOPTPARAMVAL),
)


def status_of(reject: Reject, *, vendor: bool) -> int:
    """The status of a layer's refusal; with `vendor` those that have no status of their own get a vendor's code."""
    if reject.code == "validation_failed":
        return _of_fields(reject.errors)
    if vendor and reject.code in _VENDOR:
        return _VENDOR[reject.code]
    return _STANDARD.get(reject.code, s.ESME_RSUBMITFAIL)


def not_text(*, vendor: bool) -> int:
    """The status for content that is no text: data_coding has no status of its own."""
    return VENDOR_NOT_TEXT if vendor else s.ESME_RSUBMITFAIL


def _of_fields(errors: tuple[FieldError, ...]) -> int:
    """The status of the first field that has one."""
    for error in errors:
        name = error.path.partition(".")[0]
        for field, status in _FIELDS:
            if name == field:
                return status
    return s.ESME_RSUBMITFAIL
