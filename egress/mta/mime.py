"""The RFC 5322 message of an attempt, assembled by hand as header fields and a body of seven-bit lines."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import blake2b

from domain.delivery import AttemptDue
from egress.mta import headers
from egress.mta.mailbox import BAD_SENDER, Mailbox, parse_mailbox

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
_LINE_END = re.compile(rb"\r\n|\r|\n")
_NOT_7BIT = re.compile(rb"[^\t\n\x20-\x7e]")

Field = tuple[bytes, bytes]


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

    def message(self, signatures: bytes = b"") -> bytes:
        """The whole message; `signatures` are finished fields, CRLF included, that go first."""
        lines = b"".join([name + b": " + value + b"\r\n" for name, value in self.fields])
        return b"".join((signatures, lines, b"\r\n", self.body))


def build(attempt: AttemptDue, *, now_ms: int) -> Mail:
    """The message of `attempt`, dated `now_ms` (Unix milliseconds): text, HTML, or both as multipart/alternative.

    Message-ID is `message_id.attempt` at the sender's domain, so a repeated attempt is recognisably the same mail. Raises
    AddressError for a bad sender or recipient and MimeError for what no field or body may hold.
    """
    sender = parse_mailbox(attempt.sender, BAD_SENDER)
    recipient = parse_mailbox(attempt.address)
    _check_sizes(attempt)
    message_id = f"<{_ID_UNSAFE.sub('-', attempt.message_id)[:128]}.{attempt.attempt}@{sender.domain}>"
    try:
        extra = _extra_fields(attempt.headers)
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
    content, body = _content(attempt)
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


def _content(attempt: AttemptDue) -> tuple[list[Field], bytes]:
    """The Content fields and the body: one part, or multipart/alternative with the plainest first (RFC 2046 5.1.4)."""
    if not attempt.html:
        return _part(b"text/plain", attempt.text)
    if not attempt.text:
        return _part(b"text/html", attempt.html)
    plain, html = _part(b"text/plain", attempt.text), _part(b"text/html", attempt.html)
    digest = blake2b(plain[1], digest_size=16)
    digest.update(html[1])
    # "=_" occurs in no quoted-printable or base64 line, and no seven-bit text can hold its own digest.
    boundary = b"=_" + digest.hexdigest().encode("ascii")
    pieces: list[bytes] = []
    for fields, body in (plain, html):
        pieces += (b"--", boundary, b"\r\n")
        pieces += [name + b": " + value + b"\r\n" for name, value in fields]
        pieces += (b"\r\n", body, b"\r\n")
    pieces += (b"--", boundary, b"--\r\n")
    return [(b"Content-Type", b'multipart/alternative;\r\n boundary="' + boundary + b'"')], b"".join(pieces)


def _part(media_type: bytes, text: str) -> tuple[list[Field], bytes]:
    raw = _LINE_END.sub(b"\n", text.encode("utf-8", "replace"))
    if raw and not raw.endswith(b"\n"):
        raw += b"\n"
    encoding, charset, body = _encode(raw)
    return [(b"Content-Type", media_type + b"; charset=" + charset), (b"Content-Transfer-Encoding", encoding)], body


def _encode(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """(encoding, charset, body) of LF lines: 7bit when it may, quoted-printable when mostly ASCII, else base64."""
    odd = len(_NOT_7BIT.findall(raw))
    if not odd and max(map(len, raw.split(b"\n"))) <= headers.MAX_LINE_BYTES:
        return b"7bit", b"us-ascii", raw.replace(b"\n", b"\r\n")
    if odd * 6 <= len(raw):
        return b"quoted-printable", b"utf-8", binascii.b2a_qp(raw, istext=True).replace(b"\n", b"\r\n")
    crlf = raw.replace(b"\n", b"\r\n")
    return b"base64", b"utf-8", base64.encodebytes(crlf).replace(b"\n", b"\r\n")
