"""Mail from outside becomes records: failures for the cascade, complaints and letters for the tenant's contacts."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from domain.cascade.events import ReceiptArrived
from domain.compliance.keywords import keyword_of
from domain.inbound import Received, Suppress, SuppressionReason
from domain.tenant import Tenant
from ingress.addresses import normalise_email
from ingress.smtp.inbound import Envelope
from ingress.smtp.returned import Named, answered, attempt_in, failure_of, is_automatic, returned_text
from schemas.mail.addresses import addresses
from schemas.mail.arf import ORIGINAL, REPORT, Complaint, parse_complaint
from schemas.mail.bounce import parse_bounces
from schemas.mail.fields import MailError
from schemas.mail.mime import parse_mail
from schemas.mail.parts import Part, parse_parts
from schemas.topics import CASCADE, INBOUND, Topic
from schemas.unsubscribe import Leaving, Unsubscribing

LARGE_OCTETS: Final = 256 * 1024
"""A larger message is read in a thread: it takes too long to keep all other sessions waiting."""
MAX_SUBJECT_CHARS: Final = 1_000
MAX_TEXT_CHARS: Final = 100_000
ID_DIGITS: Final = 32
TAKEN: Final = "250 2.0.0 Ok"
RECIPIENT_OK: Final = "250 2.1.5 Ok"
NOBODY: Final = "550 5.7.1 Relaying denied"
DISABLED: Final = "550 5.2.1 The mailbox is disabled"
COMPLAINTS: Final = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "other"})
"""Feedback types (RFC 5965 section 7.3) after which nothing more is sent; the others tell of viruses, keys or mistakes."""

Record = tuple[Topic, str, Any]
Publish = Callable[[Topic, str, Any], Awaitable[None]]
"""Returns when the record is durable; TransientError when it may not be."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class InboundDesk:
    """Implements `InboundMail`.

    `named` tells which attempt a return path names, None for an address that is none of ours. `links` read the tokens by
    which a returned message proves whose it was. `shown` is the text of an HTML, `count` counts under a declared metric name.
    """

    publish: Publish
    links: Unsubscribing
    named: Callable[[str], Named | None]
    shown: Callable[[str], str]
    count: Callable[..., None]

    async def recipient(self, tenant: Tenant | None, address: str) -> str:
        """See InboundMail: return paths that we made, and every address of a tenant that is not gone."""
        if self.named(address) is not None:
            return RECIPIENT_OK
        if tenant is None:
            return NOBODY
        return DISABLED if tenant.status == "deactivated" else RECIPIENT_OK

    async def deliver(self, mail: Envelope) -> str:
        """See InboundMail."""
        try:
            large = len(mail.raw) > LARGE_OCTETS
            kind, records = await asyncio.to_thread(self.read, mail) if large else self.read(mail)
        except MailError as error:
            return f"554 {error.code} {error.detail}"
        done = await asyncio.gather(*(self.publish(*record) for record in records), return_exceptions=True)
        for failure in done:
            if failure is not None:
                raise failure
        self.count("hermes_inbound_mail_total", kind=kind)
        log.info("inbound_mail", kind=kind, client=mail.client, octets=len(mail.raw), records=len(records))
        return TAKEN

    def read(self, mail: Envelope) -> tuple[str, list[Record]]:
        """What a mail is, and the records that follow from it. Raises MailError."""
        root = parse_parts(mail.raw)
        if any(part.type == REPORT or part.type in ORIGINAL for part in root.walk()):
            complaint = parse_complaint(mail.raw)
            if complaint is not None:
                return self._complaint(mail, complaint, root)
        named = next((found for found in map(self.named, mail.recipients) if found is not None), None)
        if named is not None or not mail.mail_from or root.type == "multipart/report":
            return self._report(mail, named, root)
        if is_automatic(root.header) or mail.tenant is None:
            return "automatic", []
        return _letter(mail, mail.tenant, root, self.shown)

    def _complaint(self, mail: Envelope, complaint: Complaint, root: Part) -> tuple[str, list[Record]]:
        """The token in the complaint's message says who complains of whom; without one anybody could have written it."""
        returned = returned_text(root)
        leaving = self.links.found_in(returned)
        if complaint.kind not in COMPLAINTS:
            return "feedback", []
        if leaving is None:
            return "complaint_unproven", []
        return "complaint", [_suppress(leaving, "complaint", mail.received_at_ms, attempt_in(returned))]

    def _report(self, mail: Envelope, named: Named | None, root: Part) -> tuple[str, list[Record]]:
        failure = failure_of(parse_bounces(mail.raw))
        if failure is None:
            return "report", []
        returned = returned_text(root)
        named = named or attempt_in(returned)
        leaving = self.links.found_in(returned) if failure.hard else None
        records: list[Record] = []
        if named is not None:
            receipt = ReceiptArrived(*named, mail.received_at_ms, "", "failed", failure.code, 0, 0, 0)
            records.append((CASCADE, receipt.message_id, receipt))
        if leaving is not None:
            records.append(_suppress(leaving, "hard_bounce", mail.received_at_ms, named))
        return "bounce" if records else "bounce_unmatched", records


def _suppress(leaving: Leaving, reason: SuppressionReason, at_ms: int, named: Named | None) -> Record:
    message_id = "" if named is None else named[0]
    found = Suppress(leaving.tenant_id, leaving.channel, leaving.address, reason, at_ms, message_id)
    return INBOUND, leaving.tenant_id, found


def _letter(mail: Envelope, tenant: Tenant, root: Part, shown: Callable[[str], str]) -> tuple[str, list[Record]]:
    """A message for each recipient; one that only wants to unsubscribe does so, when its sender is proven (DMARC)."""
    content = parse_mail(mail.raw)
    found = addresses(root.header.first("from"))
    sender = normalise_email(found[0][1] if len(found) == 1 else "") or mail.mail_from
    subject = content.subject.replace("\0", "")[:MAX_SUBJECT_CHARS]
    text = (content.text or shown(content.html)).replace("\0", "")[:MAX_TEXT_CHARS]
    in_reply_to = answered(root.header, tenant.from_domain)
    records: list[Record] = [
        (INBOUND, tenant.tenant_id, Received(
            _id(tenant, recipient, root, subject, text), tenant.tenant_id, "email", sender, recipient, subject, text,
            "smtp", mail.received_at_ms, in_reply_to,
        ))
        for recipient in mail.recipients
    ]  # fmt: skip
    proven = mail.checked is not None and mail.checked.dmarc.result == "pass"
    if proven and keyword_of(subject) == "stop":
        leaving = Leaving(tenant.tenant_id, "email", sender)
        return "unsubscribe", [*records, _suppress(leaving, "unsubscribed", mail.received_at_ms, None)]
    return "message", records


def _id(tenant: Tenant, recipient: str, root: Part, subject: str, text: str) -> str:
    """The same when the peer repeats the message: the fields that we wrote on top have no part in it."""
    own = [root.header.first(name) for name in ("message-id", "from", "date")]
    digest = hashlib.sha256(repr((tenant.tenant_id, recipient, own, subject, text)).encode("utf-8", "replace"))
    return f"in-{digest.hexdigest()[:ID_DIGITS]}"
