"""What becomes of mail for the tenants' own domains: whoever publishes it implements `InboundMail`."""

from dataclasses import dataclass
from typing import Protocol

from domain.tenant import Tenant
from schemas.mail.dkim_verify import Signature
from schemas.mail.dmarc import Dmarc
from schemas.mail.spf import Spf


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known about who sent a message."""

    spf: Spf
    signatures: tuple[Signature, ...]
    dmarc: Dmarc


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message from outside for one tenant, or for return paths in a domain of nobody's: `tenant` is None then.

    `client` is the peer's address, `mail_from` empty for the null sender, `recipients` in the tenant's domain. `raw` is the
    message as it came (CRLF lines), behind the fields that we write: Return-Path, Authentication-Results and Received. `helo`
    is what the peer called itself, `checked` what SPF, DKIM and DMARC say, None when nobody asked.
    """

    tenant: Tenant | None
    client: str
    helo: str
    mail_from: str
    recipients: tuple[str, ...]
    raw: bytes
    received_at_ms: int
    checked: Checked | None = None


class InboundMail(Protocol):
    """Takes mail from outside. Both answers are one SMTP reply, `250 2.1.5 Ok` or why not; TransientError means 451."""

    async def recipient(self, tenant: Tenant | None, address: str) -> str:
        """Whether the tenant wants mail for `address`; whether it is a return path when its domain is nobody's."""
        ...

    async def deliver(self, mail: Envelope) -> str:
        """The reply to the message; a 250 says that it is durable."""
        ...


class RelayDenied:
    """Nobody takes mail from outside."""

    async def recipient(self, _tenant: Tenant | None, _address: str) -> str:
        """No."""
        return "550 5.1.1 Relay denied"

    async def deliver(self, _mail: Envelope) -> str:
        """No."""
        return "550 5.1.1 Relay denied"
