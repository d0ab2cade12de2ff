"""DANE: certificates held against the TLSA records of a host (RFC 6698, RFC 7671, RFC 7672)."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

TRUST_ANCHOR, END_ENTITY = 2, 3
MAX_CHAIN = 10


@dataclass(frozen=True, slots=True)
class Tlsa:
    """One record: usage 0 to 3, selector 0 (certificate) or 1 (its key), matching 0 (whole), 1 (SHA-256), 2 (SHA-512)."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def usable(self) -> bool:
        """Whether mail may rely on it: PKIX usages mean nothing to SMTP (RFC 7672 section 3.1.3)."""
        lengths = {0: len(self.data) or -1, 1: 32, 2: 64}
        return (
            self.usage in (TRUST_ANCHOR, END_ENTITY)
            and self.selector in (0, 1)
            and lengths.get(self.matching) == len(self.data)
        )

    @property
    def text(self) -> str:
        """The record as zone files write it."""
        return f"{self.usage} {self.selector} {self.matching} {self.data.hex()}"

    def names(self, certificate: x509.Certificate) -> bool:
        """Whether the record is of this certificate."""
        if self.selector == 0:
            octets = certificate.public_bytes(Encoding.DER)
        else:
            octets = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        match self.matching:
            case 1:
                octets = hashlib.sha256(octets).digest()
            case 2:
                octets = hashlib.sha512(octets).digest()
        return hmac.compare_digest(octets, self.data)


def proves(records: Sequence[Tlsa], chain: Sequence[bytes], host: str, now: datetime) -> bool:
    """Whether `chain` (DER, the host's own certificate first) is one that `records` stand for.

    For usage 3 the key is all that counts: neither names nor dates (RFC 7672 section 3.1.1). For usage 2 the chain must lead
    from a certificate of `host` to the anchor, within their dates (section 3.1.2).
    """
    try:
        certificates = [x509.load_der_x509_certificate(der) for der in chain[:MAX_CHAIN]]
    except ValueError:
        return False
    if not certificates:
        return False
    usable = [record for record in records if record.usable]
    try:
        if any(record.usage == END_ENTITY and record.names(certificates[0]) for record in usable):
            return True
        anchors = [one for one in certificates[1:] if any(r.usage == TRUST_ANCHOR and r.names(one) for r in usable)]
    except (ValueError, UnsupportedAlgorithm):
        return False
    return bool(anchors) and _leads_to(anchors, certificates, host, now)


def _leads_to(anchors: list[x509.Certificate], chain: list[x509.Certificate], host: str, now: datetime) -> bool:
    try:
        verifier = PolicyBuilder().store(Store(anchors)).time(now).build_server_verifier(x509.DNSName(host))
        verifier.verify(chain[0], chain[1:])
    except (VerificationError, ValueError):
        return False
    return True
