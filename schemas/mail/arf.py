"""Complaints of readers, as providers report them (Abuse Reporting Format, RFC 5965)."""

from dataclasses import dataclass
from typing import Final

from schemas.mail.addresses import addresses
from schemas.mail.fields import Header, split
from schemas.mail.parts import Part, parse_parts
from schemas.mail.words import text

REPORT: Final = "message/feedback-report"
ORIGINAL: Final = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers")
MICROSOFT: Final = "x-hmxmroriginalrecipient"
MAX_RECIPIENTS: Final = 100


@dataclass(frozen=True, slots=True)
class Complaint:
    """One report.

    `kind` is abuse, fraud, virus, opt-out, not-spam, other … in lower case, `recipients` may be empty: most providers hide
    them. `message_id` and `header` are the reported message's own, so that a token in it can be found.
    """

    kind: str
    recipients: tuple[str, ...]
    mail_from: str
    source_ip: str
    user_agent: str
    message_id: str
    header: Header


def parse_complaint(raw: bytes) -> Complaint | None:
    """The complaint in `raw`; None when it is no such report. Raises MailError."""
    root = parse_parts(raw)
    report = next((part for part in root.walk() if part.type == REPORT), None)
    if report is None:
        return _without_report(root)
    fields, _ = split(report.octets().lstrip())
    original = next((part for part in root.leaves() if part.type in ORIGINAL), None)
    header = _header(original)
    named = [_address(value) for name in ("original-rcpt-to", "removal-recipient") for value in fields.all(name)]
    recipients = [one for one in named if one] or [address for _, address in addresses(header.first("to"))]
    return Complaint(
        text(fields.first("feedback-type")).lower() or "other",
        tuple(dict.fromkeys(recipients))[:MAX_RECIPIENTS],
        _address(fields.first("original-mail-from")),
        text(fields.first("source-ip")),
        text(fields.first("user-agent")),
        text(header.first("message-id")),
        header,
    )


def _without_report(root: Part) -> Complaint | None:
    """Two forms without the machine's part.

    Microsoft's names the reader in a field of the returned message. A reader's program writes to a List-Unsubscribe address
    (RFC 2369).
    """
    for part in root.leaves():
        header = _header(part) if part.type in ORIGINAL else Header(())
        reader = _address(header.first(MICROSOFT))
        if reader:
            return Complaint("abuse", (reader,), "", "", "", text(header.first("message-id")), header)
    if text(root.header.first("subject")).strip().lower() != "unsubscribe":
        return None
    reader = _address(root.header.first("from"))
    return Complaint("opt-out", (reader,) if reader else (), "", "", "", "", root.header)


def _header(original: Part | None) -> Header:
    return split(original.octets().lstrip())[0] if original is not None else Header(())


def _address(value: bytes) -> str:
    found = addresses(value)
    return found[0][1] if found else text(value).strip("<>")
