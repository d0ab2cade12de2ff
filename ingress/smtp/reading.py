"""A message that a tenant hands in by SMTP, read as the content that every protocol hands in."""

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson

from domain.message import Body
from ingress.smtp.settings import SmtpServerSettings
from schemas.mail.addresses import addresses
from schemas.mail.fields import Header, MailError
from schemas.mail.mime import Mail, parse_mail
from schemas.mail.words import text

TRACE_FIELD: Final = "x-hermes-trace"
"""What Hermes writes into each mail that it sends: one that comes back has gone in a circle."""
OUR_PREFIX: Final = "x-hermes-"
MAX_METADATA_FIELDS: Final = 50
ONCE: Final = ("from", "sender", "reply-to", "to", "cc", "message-id", "date", "subject", "x-hermes-reference")
"""RFC 5322 section 3.6: at most one of each."""

_KNOWN: Final = frozenset({"x-hermes-reference", "x-hermes-metadata", "x-hermes-rule"})
_SIMPLE_FROM = re.compile(rb'(?:[^<>"@,;:\\()=]*<)?([A-Za-z0-9!#$%&\'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+)>?')


class ContentError(ValueError):
    """The message is refused; `reply` is the SMTP reply."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says and how it is to be sent, the same for all its recipients.

    `sender` is the mailbox of its From, empty for none; `message_id` as it was written, empty for none; `rule_id` names the
    tenant's cascade rule, empty for a direct mail. `left_out` counts the pictures of the HTML that were not kept.
    """

    body: Body
    sender: str
    message_id: str
    reference: str
    metadata: dict[str, str]
    rule_id: str
    left_out: int


def read_content(raw: bytes, settings: SmtpServerSettings) -> Content:
    """The content of `raw` (CRLF lines). Raises ContentError with the reply that refuses it."""
    check_octets(raw, settings)
    try:
        mail = parse_mail(raw)
    except MailError as error:
        raise ContentError(f"554 {error.code} {error.detail}") from error
    header = mail.root.header
    check_header(header, settings)
    left_out = _left_out(mail)
    return Content(
        Body(mail.text, mail.html, mail.subject),
        _sender(header),
        text(header.first("message-id")),
        text(header.first("x-hermes-reference")),
        _metadata(header),
        text(header.first("x-hermes-rule")),
        left_out,
    )


def check_octets(raw: bytes, settings: SmtpServerSettings) -> None:
    """Raises ContentError for a bare CR or LF, which could hide a second message (RFC 5321 section 2.3.8), and for NUL."""
    ends = raw.count(b"\r\n")
    if raw.count(b"\n") != ends or raw.count(b"\r") != ends:
        raise ContentError("550 5.5.2 A message holds no bare CR or LF")
    if b"\0" in raw:
        raise ContentError("554 5.6.0 A message holds no NUL")
    if has_longer_line(raw, settings.max_text_line):
        raise ContentError(f"550 5.6.0 A line is longer than {settings.max_text_line} octets")
    if len(raw) > settings.max_header:
        end = raw.find(b"\r\n\r\n")
        if end < 0 or end > settings.max_header:
            raise ContentError(f"552 5.3.4 The header is longer than {settings.max_header} octets")


def has_longer_line(raw: bytes, limit: int) -> bool:
    """Whether a line of `raw` has more than `limit` octets: such a line covers a whole block of half that size."""
    step = max(1, limit // 2)
    for at in range(0, len(raw) - step, step):
        if raw.find(b"\n", at, at + step) >= 0:
            continue
        end = raw.find(b"\n", at)
        if (len(raw) if end < 0 else end) - raw.rfind(b"\n", 0, at) - 1 > limit:
            return True
    return False


def check_header(header: Header, settings: SmtpServerSettings) -> None:
    """Raises ContentError for a loop, a field that may stand only once, and a field of ours that means nothing."""
    check_loop(header, settings)
    names = [field.name for field in header.fields]
    for name in ONCE:
        if names.count(name) > 1:
            raise ContentError(f"554 5.6.0 The field {name} is there twice")
    for name in names:
        if name.startswith(OUR_PREFIX) and name not in _KNOWN:
            raise ContentError(f"554 5.6.0 The field {name[:76]} is not known")


def check_loop(header: Header, settings: SmtpServerSettings) -> None:
    """Raises ContentError for a message that has been here, or everywhere (RFC 5321 section 6.3)."""
    if header.count("received") > settings.max_received or header.count(TRACE_FIELD):
        raise ContentError("554 5.4.6 The message goes in a circle")


def _left_out(mail: Mail) -> int:
    """How many parts are not kept: pictures that the HTML shows, no others. Raises ContentError for an attachment."""
    for one in mail.attachments:
        if not one.inline:
            raise ContentError(f"554 5.6.1 Attachments are not taken ({one.type})")
    return len(mail.attachments)


def _sender(header: Header) -> str:
    value = header.first("from")
    simple = _SIMPLE_FROM.fullmatch(value)
    if simple is not None and value.count(b"<") == value.count(b">"):
        return simple[1].decode("ascii")
    if not value:
        return ""
    found = addresses(value)
    if len(found) != 1:
        raise ContentError("554 5.6.0 The field From must name one mailbox")
    return found[0][1]


def _metadata(header: Header) -> dict[str, str]:
    """From fields `X-Hermes-Metadata: name=value`, or one JSON object of texts."""
    metadata: dict[str, str] = {}
    for value in header.all("x-hermes-metadata"):
        written = text(value)
        pairs = _object(written) if written.startswith("{") else dict([_pair(written)])
        if len(metadata) + len(pairs) > MAX_METADATA_FIELDS:
            raise ContentError(f"554 5.6.0 X-Hermes-Metadata has more than {MAX_METADATA_FIELDS} entries")
        metadata |= pairs
    return metadata


def _pair(written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals or not name.strip():
        raise ContentError("554 5.6.0 X-Hermes-Metadata is name=value or a JSON object of texts")
    return name.strip(), value.strip()


def _object(written: str) -> dict[str, str]:
    try:
        value: Any = orjson.loads(written)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise ContentError("554 5.6.0 X-Hermes-Metadata is name=value or a JSON object of texts")
    return value
