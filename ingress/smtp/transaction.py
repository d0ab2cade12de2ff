"""One mail transaction: MAIL, RCPT and the content, for a tenant or from outside (RFC 5321 section 3.3)."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final

from domain.errors import TransientError
from domain.tenant import ApiKey, Tenant
from ingress.smtp.inbound import Envelope, InboundMail
from ingress.smtp.login import is_alive
from ingress.smtp.paths import Path, PathError, forward_path, reverse_path
from ingress.smtp.receiving import receive
from ingress.smtp.replies import AUTH_REQUIRED, BUSY, SEQUENCE, line
from ingress.smtp.services import Services
from ingress.smtp.settings import SmtpServerSettings
from ingress.smtp.submitting import Submitter

SENDER_OK: Final = "250 2.1.0 Ok"
RECIPIENT_OK: Final = "250 2.1.5 Ok"
TOO_MANY: Final = "452 4.5.3 Too many recipients"
NOT_ALLOWED: Final = "550 5.7.1 The credential does not allow this"
NO_RELAY: Final = "550 5.7.1 Relaying denied"


@dataclass(slots=True)
class Transaction:
    """What MAIL and RCPT said so far. `key` is None for mail from outside; `refused` counts the recipients refused."""

    services: Services
    settings: SmtpServerSettings
    sender: Path
    key: ApiKey | None
    recipients: dict[str, None] = field(default_factory=dict)
    tenant: Tenant | None = None
    refused: int = 0

    async def add(self, argument: str) -> str:
        """The reply to RCPT."""
        reply = await self._add(argument)
        self.refused += not reply.startswith("2")
        return reply

    async def take(self, raw: bytes, client: str, helo: str) -> str:
        """The reply to the content (CRLF lines, no dots stuffed)."""
        recipients = tuple(self.recipients)
        if self.key is not None:
            return await Submitter(self.services, self.settings).submit(self.key, recipients, raw)
        inbound = self.services.inbound
        if inbound is None:
            return SEQUENCE
        now_ms = self.services.clock()
        mail = Envelope(self.tenant, client, helo, self.sender.address, recipients, raw, now_ms)
        return await self._asked(receive(mail, inbound, self.services, self.settings))

    async def _add(self, argument: str) -> str:
        try:
            utf8 = "SMTPUTF8" in self.sender.parameters
            address = forward_path(argument, utf8=utf8, hostname=self.settings.hostname).address
        except PathError as error:
            return error.reply
        if address in self.recipients:
            return RECIPIENT_OK
        if len(self.recipients) >= self.settings.max_recipients:
            return TOO_MANY
        if self.key is not None:
            reply = self._own(self.key, address)
        else:
            reply = await self._foreign(address, self.services.inbound)
        if reply.startswith("2"):
            self.recipients[address] = None
        return reply

    def _own(self, key: ApiKey, address: str) -> str:
        """A tenant's recipient: refused here where that is possible, for here alone each has a reply of its own."""
        if not address.isascii():
            return "553 5.6.7 A local part outside ASCII cannot be reached"
        tenant = self.services.config.tenant(key.tenant_id)
        if tenant is not None and address in tenant.blocked_recipients:
            return "550 5.7.1 You have blocked this recipient"
        return RECIPIENT_OK

    async def _foreign(self, address: str, inbound: InboundMail | None) -> str:
        """A recipient of mail from outside: the tenants' domains and return paths, one of them in each transaction."""
        tenant = self.services.config.tenant_of_domain(address.rpartition("@")[2])
        if inbound is None:
            return NO_RELAY
        if self.recipients and tenant != self.tenant:
            return "452 4.5.3 One tenant's recipients at a time"
        reply = await self._asked(inbound.recipient(tenant, address))
        if reply.startswith("2"):
            self.tenant = tenant
        return reply

    async def _asked(self, answer: Awaitable[str]) -> str:
        try:
            async with asyncio.timeout(self.settings.answer_ms / 1_000):
                return line(await answer)
        except (TransientError, TimeoutError):
            return BUSY


def begin(argument: str, key: ApiKey | None, services: Services, settings: SmtpServerSettings) -> Transaction | str:
    """The transaction that MAIL begins, or the reply that refuses it. Without a `key` only mail from outside is taken."""
    if key is None and services.inbound is None:
        return AUTH_REQUIRED
    refusal = _refusal(key, services) if key is not None else ""
    if refusal:
        return refusal
    try:
        sender = reverse_path(argument)
    except PathError as error:
        return error.reply
    if int(sender.parameters.get("SIZE", "0")) > settings.max_message:
        return f"552 5.3.4 A message has at most {settings.max_message} octets"
    return Transaction(services, settings, sender, key)


def _refusal(key: ApiKey, services: Services) -> str:
    """Why the tenant may not send now, empty when it may: the pipeline would say the same, but only behind the content."""
    if not is_alive(key, services) or "send" not in key.scopes:
        return NOT_ALLOWED
    tenant = services.config.tenant(key.tenant_id)
    match tenant.status if tenant else "active":
        case "suspended":
            return "550 5.7.1 The account is suspended"
        case "deactivated":
            return "550 5.7.1 The account is deactivated"
        case "provisioning":
            return "451 4.3.0 The account is still being provisioned"
        case _:
            return ""
