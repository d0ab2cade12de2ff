"""Mail from outside: checked for who sent it, marked, and handed on (RFC 7208, RFC 6376, RFC 9989, RFC 8601)."""

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from ingress.addresses import normalise_email
from ingress.smtp.inbound import Checked, Envelope, InboundMail
from ingress.smtp.reading import ContentError, check_loop, check_octets
from ingress.smtp.services import Services
from ingress.smtp.settings import SmtpServerSettings
from schemas.mail.addresses import addresses
from schemas.mail.auth_results import without_forged, written
from schemas.mail.dkim_verify import verify
from schemas.mail.dmarc import check_dmarc
from schemas.mail.dns import Dns
from schemas.mail.fields import Header, MailError, split
from schemas.mail.spf import check_host

ONE_FROM: Final = "550 5.7.26 There must be one From with one mailbox"
DMARC_REJECTS: Final = "550 5.7.26 The domain of the From asks to reject mail that does not prove to be its own"
DMARC_LATER: Final = "451 4.7.26 The domain of the From cannot be checked now"


async def receive(mail: Envelope, inbound: InboundMail, services: Services, settings: SmtpServerSettings) -> str:
    """The reply to a message from outside. Raises what `inbound` raises."""
    try:
        check_octets(mail.raw, settings)
        header, _ = split(mail.raw)
        check_loop(header, settings)
        domain = from_domain(header)
        checked = None
        if services.dns is not None:
            if not domain:
                return ONE_FROM
            checked = await check(services.dns, mail, domain, settings.hostname)
    except ContentError as error:
        return error.reply
    except MailError as error:
        return f"554 {error.code} {error.detail}"
    if checked is not None and checked.dmarc.result == "temperror":
        return DMARC_LATER
    if checked is not None and (checked.dmarc.result, checked.dmarc.policy) == ("fail", "reject"):
        return DMARC_REJECTS
    return await inbound.deliver(_marked(mail, checked, settings.hostname))


async def check(dns: Dns, mail: Envelope, domain: str, receiver: str) -> Checked:
    """What SPF, DKIM and DMARC say about a message whose From is of `domain`. Raises MailError."""
    now_s = mail.received_at_ms // 1_000
    spf = await check_host(dns, mail.client, mail.mail_from, mail.helo, receiver=receiver, now_s=now_s)
    signatures = await verify(dns, mail.raw, now_s)
    return Checked(spf, signatures, await check_dmarc(dns, domain, spf, signatures))


def from_domain(header: Header) -> str:
    """The domain of the one mailbox in the one From, in lower-case A-labels; empty for none or several."""
    if header.count("from") != 1:
        return ""
    found = addresses(header.first("from"))
    normal = normalise_email(found[0][1]) if len(found) == 1 else None
    return normal.rpartition("@")[2] if normal else ""


def _marked(mail: Envelope, checked: Checked | None, hostname: str) -> Envelope:
    """With our fields on top, and without those that claim to be ours (RFC 5321 section 4.4, RFC 8601 section 5)."""
    at = format_datetime(datetime.fromtimestamp(mail.received_at_ms / 1_000, UTC))
    helo = "".join(c if c.isascii() and (c.isalnum() or c in ".-_:[]") else "_" for c in mail.helo)
    trace = f"Received: from {helo} ([{mail.client}])\r\n by {hostname} with ESMTP;\r\n {at}\r\n".encode()
    marks = [f"Return-Path: <{mail.mail_from}>\r\n".encode()]
    if checked is not None:
        asked = "smtp.mailfrom" if mail.mail_from else "smtp.helo"
        marks.append(written(hostname, checked.spf, asked, checked.signatures, checked.dmarc))
    raw = b"".join((*marks, trace, without_forged(mail.raw, hostname)))
    return replace(mail, raw=raw, checked=checked)
