"""The RFC 5322 message of an attempt, assembled by hand as header fields and a body of seven-bit lines."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from domain.delivery import AttemptDue
from egress.mta import headers
from egress.mta.extras import HTTPS_URL, MAILTO_URL, MAX_FEEDBACK_CHARS, MAX_URL_CHARS, NOTHING, Extras
from egress.mta.mailbox import BAD_SENDER, Mailbox, parse_mailbox
from egress.mta.parts import Field, PartError, body_of
from egress.mta.plain import text_of

MAX_SUBJECT_CHARS = 2_000
MAX_NAME_CHARS = 256
MAX_BODY_CHARS = 4 * 1024 * 1024
MAX_EXTRA_FIELDS = 64
MAX_FIELD_CHARS = 8_192
MAX_FIELD_NAME_CHARS = 76

# What Hermes writes itself, or what only a relay or a receiver may write.
RESERVED_FIELDS = frozenset(
    {"from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "mime-version"}
    | {"return-path", "received", "received-spf", "delivered-to", "dkim-signature", "authentication-results"}
)
RESERVED_PREFIXES = ("content-", "arc-", "resent-")
STRUCTURED_FIELDS = frozenset({"reply-to", "in-reply-to", "references", "auto-submitted", "precedence", "feedback-id"})

_FIELD_NAME = re.compile(r"[\x21-\x39\x3b-\x7e]+")
_ID_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_FEEDBACK_ID = re.compile(r"[\x21-\x39\x3b-\x7e]*(?::[\x21-\x39\x3b-\x7e]*){3}")


class MimeError(ValueError):
    """The attempt cannot be written as a message; its text says which part."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message ready to sign and send: `fields` in order without their line ends, `body` CRLF lines without dot-stuffing."""

    sender: Mailbox
    recipient: Mailbox
    message_id: str
    fields: tuple[Field, ...]
    body: bytes

    @property
    def needs_utf8(self) -> bool:
        """Whether its header holds an address that only SMTPUTF8 can carry (RFC 6532)."""
        return self.sender.needs_utf8 or self.recipient.needs_utf8

    def message(self, signatures: bytes = b"") -> bytes:
        """The whole message; `signatures` are finished fields, CRLF included, that go first."""
        lines = b"".join([name + b": " + value + b"\r\n" for name, value in self.fields])
        return b"".join((signatures, lines, b"\r\n", self.body))


def build(attempt: AttemptDue, extras: Extras = NOTHING, *, now_ms: int) -> Mail:
    """The message of `attempt`, dated `now_ms` (Unix milliseconds): text, or HTML with its text, and `extras`.

    Message-ID is `message_id.attempt` at the sender's domain, so a repeated attempt is recognisably the same mail. Raises
    AddressError for a bad sender or recipient and MimeError for what no field or body may hold.
    """
    sender = parse_mailbox(attempt.sender, BAD_SENDER)
    recipient = parse_mailbox(attempt.address)
    _check_sizes(attempt)
    message_id = f"<{_ID_UNSAFE.sub('-', attempt.message_id)[:128]}.{attempt.attempt}@{sender.domain}>"
    try:
        extra = _extra_fields({**_offered(extras, attempt.headers), **attempt.headers})
        fields = [
            (b"Date", format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC)).encode("ascii")),
            (b"From", headers.mailbox("From", attempt.sender_name, sender)),
            (b"To", headers.mailbox("To", "", recipient)),
            (b"Message-ID", message_id.encode("ascii")),
            (b"Subject", headers.unstructured("Subject", attempt.subject)),
            *extra,
            (b"MIME-Version", b"1.0"),
        ]
    except headers.HeaderError as error:
        raise MimeError(str(error)) from error
    try:
        content, body = body_of(attempt.text or text_of(attempt.html), attempt.html, extras.attachments)
    except PartError as error:
        raise MimeError(str(error)) from error
    return Mail(sender, recipient, message_id, (*fields, *content), body)


def _check_sizes(attempt: AttemptDue) -> None:
    if len(attempt.subject) > MAX_SUBJECT_CHARS:
        raise MimeError("subject too long")
    if len(attempt.sender_name) > MAX_NAME_CHARS:
        raise MimeError("sender name too long")
    if len(attempt.text) + len(attempt.html) > MAX_BODY_CHARS:
        raise MimeError("body too long")
    if len(attempt.headers) > MAX_EXTRA_FIELDS:
        raise MimeError("too many header fields")


def _extra_fields(extra: Mapping[str, str]) -> list[Field]:
    seen: set[str] = set()
    fields: list[Field] = []
    for name, value in extra.items():
        lower = name.lower()
        if len(name) > MAX_FIELD_NAME_CHARS or not _FIELD_NAME.fullmatch(name):
            raise MimeError("bad header field name")
        if lower in RESERVED_FIELDS or lower.startswith(RESERVED_PREFIXES):
            raise MimeError(f"header field {name} cannot be set")
        if lower in seen:
            raise MimeError(f"header field {name} is given twice")
        if len(value) > MAX_FIELD_CHARS:
            raise MimeError(f"header field {name} is too long")
        seen.add(lower)
        write = headers.structured if lower in STRUCTURED_FIELDS or lower.startswith("list-") else headers.unstructured
        fields.append((name.encode("ascii"), write(name, value)))
    return fields


def _offered(extras: Extras, given: Mapping[str, str]) -> dict[str, str]:
    """The fields that `extras` stand for; a field that was given by its name stays as it was given."""
    names = {name.lower() for name in given}
    fields: dict[str, str] = {}
    https, mailto = extras.unsubscribe_url, extras.unsubscribe_mailto
    if https and not (len(https) <= MAX_URL_CHARS and HTTPS_URL.fullmatch(https)):
        raise MimeError("the URL for unsubscribing is no https URL")
    if mailto and not MAILTO_URL.fullmatch(mailto):
        raise MimeError("the address for unsubscribing is no mailto URL")
    if (https or mailto) and "list-unsubscribe" not in names:
        fields["List-Unsubscribe"] = ", ".join(f"<{uri}>" for uri in (https, mailto) if uri)
        if https and "list-unsubscribe-post" not in names:
            fields["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058 section 3.1
    if extras.feedback_id and "feedback-id" not in names:
        if len(extras.feedback_id) > MAX_FEEDBACK_CHARS or not _FEEDBACK_ID.fullmatch(extras.feedback_id):
            raise MimeError("bad Feedback-ID")
        fields["Feedback-ID"] = extras.feedback_id
    return fields
