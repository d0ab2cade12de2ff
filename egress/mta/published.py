"""Whether a DKIM key can be trusted to sign: its public half must be what the domain publishes (RFC 6376 section 3.6)."""

from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from egress.mta.lookup import DnsError
from schemas.mail.dkim_key import KeyRecordError, parse_key
from schemas.mail.dns import DnsError as MailDnsError


class Texts(Protocol):
    """TXT records by name; nothing for a name that has none."""

    async def txt(self, name: str) -> tuple[bytes, ...]:
        """The texts, the strings of each joined. Raises DnsError."""
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """`good` when signatures will hold; otherwise `reason` says why not, and `for_now` that DNS did not answer."""

    good: bool
    reason: str = ""
    for_now: bool = False


async def check_published(
    domain: str, selector: str, public_key: RSAPublicKey | Ed25519PublicKey, resolver: Texts
) -> Published:
    """Compare `public_key` with the record of `selector` at `domain` (A-labels)."""
    try:
        texts = await resolver.txt(f"{selector}._domainkey.{domain}")
    except (DnsError, MailDnsError) as error:
        return Published(False, str(error), for_now=True)
    if not texts:
        return Published(False, "no key is published under this selector")
    if len(texts) > 1:
        return Published(False, "several records are published under this selector")
    try:
        found = parse_key(texts[0])
    except KeyRecordError as error:
        return Published(False, str(error))
    if found.testing:
        return Published(False, "the domain says that it is only testing (t=y)")
    if found.key != public_key:
        return Published(False, "another key is published under this selector")
    return Published(True)
