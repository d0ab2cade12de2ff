"""Layer 5: every field is what it must be; all that is wrong is told at once."""

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from domain.compliance.zones import is_zone
from domain.errors import FieldError
from domain.message import SendRequest, Submission
from domain.validation.body import body_errors
from domain.validation.facts import Facts
from domain.validation.recipient import recipient_errors
from domain.validation.sender import sender_errors
from domain.validation.steps import routing_errors
from domain.verdict import Reject

MAX_ERRORS: Final = 100
MAX_METADATA_ENTRIES: Final = 50
MAX_METADATA_KEY_CHARS: Final = 64
MAX_METADATA_VALUE_CHARS: Final = 512
MAX_REFERENCE_CHARS: Final = 128
MAX_SEND_AHEAD_MS: Final = 35 * 24 * 3600 * 1000
MAX_SEND_BEHIND_MS: Final = 5 * 60 * 1000

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check(submission: Submission, facts: Facts) -> Reject | None:
    """Refuse with every error: those that the gateway found first, then our own; one error a field and code."""
    found = chain(submission.errors, _errors(submission, facts))
    errors = tuple({(e.path, e.code): e for e in islice(found, MAX_ERRORS)}.values())
    if not errors:
        return None
    return Reject(5, "validation_failed", f"{len(errors)} field(s) do not validate.", errors)


def _errors(submission: Submission, facts: Facts) -> Iterator[FieldError]:
    request = submission.request
    if request is None:
        if not submission.errors:
            yield FieldError("", "unreadable", "the body could not be read as a request")
        return
    yield from recipient_errors(request)
    yield from body_errors(request, facts.tenant.tier if facts.tenant is not None else "starter")
    yield from routing_errors(request)
    yield from _metadata_errors(request.metadata)
    if len(request.reference) > MAX_REFERENCE_CHARS:
        yield FieldError("reference", "too_long", f"must be at most {MAX_REFERENCE_CHARS} characters long")
    if _CONTROL.search(request.reference):
        yield FieldError("reference", "invalid_characters", "must not hold control characters")
    yield from _time_errors(request, facts.now_ms)
    yield from sender_errors(request, facts.tenant)


def _metadata_errors(metadata: dict[str, str]) -> Iterator[FieldError]:
    if len(metadata) > MAX_METADATA_ENTRIES:
        yield FieldError("metadata", "too_many", f"must be at most {MAX_METADATA_ENTRIES} entries")
    for key, value in islice(metadata.items(), MAX_METADATA_ENTRIES):
        path = f"metadata.{key[:MAX_METADATA_KEY_CHARS]}"
        if not 0 < len(key) <= MAX_METADATA_KEY_CHARS:
            yield FieldError(path, "too_long", f"must have a name of 1 to {MAX_METADATA_KEY_CHARS} characters")
        if len(value) > MAX_METADATA_VALUE_CHARS:
            yield FieldError(path, "too_long", f"must be at most {MAX_METADATA_VALUE_CHARS} characters long")
        if _CONTROL.search(key) or "\x00" in value:
            yield FieldError(path, "invalid_characters", "must not hold control characters")


def _time_errors(request: SendRequest, now_ms: int) -> Iterator[FieldError]:
    if not is_zone(request.timezone):
        yield FieldError("to.timezone", "unknown_timezone", "must be an IANA time zone such as Europe/Copenhagen")
    if not request.send_at_ms:
        return
    if request.send_at_ms < now_ms - MAX_SEND_BEHIND_MS:
        yield FieldError("send_at", "in_the_past", "must not be more than 5 minutes ago")
    if request.send_at_ms > now_ms + MAX_SEND_AHEAD_MS:
        yield FieldError("send_at", "too_far_ahead", "must be at most 35 days ahead")
