"""Reports that come as JSON in a mail, the way Amazon SES sends them through SNS."""

import json
from collections.abc import Iterator
from typing import Any, Final

MAX_CHARS: Final = 64 * 1024

_SUBTYPES: Final = {
    "NoEmail": "user unknown",
    "Suppressed": "Amazon SES has suppressed sending to this address",
    "OnAccountSuppressionList": "Amazon SES has suppressed sending to this address",
    "MailboxFull": "mailbox full",
    "MessageTooLarge": "message too large",
    "ContentRejected": "message content rejected",
    "AttachmentRejected": "attachment rejected",
}
"""What Amazon's word for the kind of bounce says, for when no server is quoted."""

Event = tuple[str, str, str, str]
"""Recipient, what became of it (`failed`, `complaint`, `delivered`), status, and what the server said."""


def events_of(text: str) -> tuple[Event, ...]:
    """What the JSON object at the begin of `text` tells; empty for any other."""
    value = _object(text)
    if isinstance(value.get("Message"), str):
        value = _object(value["Message"])
    return tuple(_events(value))


def _events(value: dict[str, Any]) -> Iterator[Event]:
    match value:
        case {"bounce": {"bouncedRecipients": list(recipients)} as bounce}:
            plain = _SUBTYPES.get(_text(bounce, "bounceSubType"), "")
            for one in recipients:
                if isinstance(one, dict):
                    said = _text(one, "diagnosticCode").partition(";")[2].strip() or plain
                    yield _text(one, "emailAddress"), "failed", _text(one, "status"), said
        case {"complaint": {"complainedRecipients": list(recipients)}}:
            for one in recipients:
                if isinstance(one, dict):
                    yield _text(one, "emailAddress"), "complaint", "", ""
        case {"delivery": {"recipients": list(recipients), "smtpResponse": str(said)}}:
            for one in recipients:
                yield str(one), "delivered", "", said


def _object(text: str) -> dict[str, Any]:
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text[:MAX_CHARS].strip())
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name, "")
    return found if isinstance(found, str) else ""
