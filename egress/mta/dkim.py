"""DKIM signatures over a mail: relaxed/relaxed, rsa-sha256 and ed25519-sha256 (RFC 6376, RFC 8301, RFC 8463)."""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from egress.mta.errors import ConfigError
from egress.mta.mailbox import AddressError, ascii_domain_of
from egress.mta.parts import Field

MIN_RSA_BITS = 1024  # RFC 8301 section 3.2: verifiers ignore shorter keys
MAX_KEYS_PER_DOMAIN = 4

SIGNED_FIELDS = frozenset(
    b"from to cc subject date message-id reply-to in-reply-to references mime-version content-type "
    b"content-transfer-encoding feedback-id auto-submitted".split()
)
SIGNED_PREFIX = b"list-"
# Named once more than they occur, so that nobody can add another under our signature (RFC 6376 section 8.15).
OVERSIGNED_FIELDS = (b"from", b"subject", b"to", b"date", b"reply-to", b"content-type")

_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_SPACES = re.compile(rb"[ \t]{2,}|\t")
_B_LINE_CHARS = 72


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key with the domain and the selector under which its public half is published."""

    domain: str
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @classmethod
    def load(cls, domain: str, selector: str, path: Path | str) -> Self:
        """The key in the PEM file at `path`. Raises ConfigError for an unreadable or unfit file, domain or selector."""
        try:
            pem = Path(path).read_bytes()
        except OSError as error:
            raise ConfigError(f"DKIM key of {domain} cannot be read: {error.strerror}") from error
        return cls.parse(domain, selector, pem)

    @classmethod
    def parse(cls, domain: str, selector: str, pem: bytes) -> Self:
        """The key in `pem`, PKCS #1 or #8, without a passphrase. Raises ConfigError."""
        try:
            private = load_pem_private_key(pem, password=None)
            name = ascii_domain_of(domain)
        except AddressError as error:
            raise ConfigError(f"DKIM domain {domain!r}: {error.detail}") from error
        except (ValueError, TypeError) as error:
            raise ConfigError(f"DKIM key of {domain} is no PEM private key without a passphrase") from error
        if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
            raise ConfigError(f"DKIM key of {domain} is neither RSA nor Ed25519")
        if isinstance(private, RSAPrivateKey) and private.key_size < MIN_RSA_BITS:
            raise ConfigError(f"DKIM key of {domain} is shorter than {MIN_RSA_BITS} bits")
        if not _SELECTOR.fullmatch(selector):
            raise ConfigError(f"DKIM selector {selector!r} is no domain label")
        return cls(name, selector, private)

    def record(self) -> str:
        """The text to publish in TXT at `selector._domainkey.domain` (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return "v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode("ascii")
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return "v=DKIM1; k=ed25519; p=" + base64.b64encode(raw).decode("ascii")


class DkimSigner:
    """Signs with every key of the From domain, or of the nearest parent domain that has one, which still aligns.

    The keys of `platform`, a domain of our own, sign every mail as well: feedback loops go by it.
    """

    def __init__(self, keys: Iterable[DkimKey], platform: str = "") -> None:
        grouped: dict[str, tuple[DkimKey, ...]] = {}
        for key in keys:
            grouped[key.domain] = (*grouped.get(key.domain, ()), key)
        for domain, found in grouped.items():
            if len(found) > MAX_KEYS_PER_DOMAIN:
                raise ConfigError(f"more than {MAX_KEYS_PER_DOMAIN} DKIM keys for {domain}")
        self._keys = grouped
        self._platform = grouped.get(platform, ())

    def replace(self, domain: str, keys: tuple[DkimKey, ...]) -> None:
        """Sign mail from `domain` with `keys` from now on, which must be its own; none to sign it no more."""
        if len(keys) > MAX_KEYS_PER_DOMAIN or any(key.domain != domain for key in keys):
            raise ConfigError(f"keys of another domain than {domain}, or too many")
        self._keys.pop(domain, None)
        if keys:
            self._keys[domain] = keys

    def keys_for(self, domain: str) -> tuple[DkimKey, ...]:
        """The keys for mail from `domain`, empty when nobody gave one."""
        while domain:
            if found := self._keys.get(domain):
                return found
            domain = domain.partition(".")[2]
        return ()

    def sign(self, fields: Sequence[Field], body: bytes, domain: str, *, now_s: int) -> bytes:
        """The finished DKIM-Signature fields for a mail from `domain`, CRLF included; empty without a key."""
        keys = self.keys_for(domain)
        keys += tuple(key for key in self._platform if key not in keys)
        if not keys:
            return b""
        body_hash = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest())
        names, canonical = _signed(fields)
        return b"".join([_signature(key, names, canonical, body_hash, now_s) for key in keys])


def relaxed_body(body: bytes) -> bytes:
    """`body` (CRLF lines) in the relaxed canonical form (RFC 6376 section 3.4.4)."""
    if b"  " in body or b"\t" in body:
        body = _SPACES.sub(b" ", body)
    body = body.replace(b" \r\n", b"\r\n")
    end = len(body)
    while body[max(end - 2, 0) : end] == b"\r\n":
        end -= 2
    if not end:
        return b""
    return body if end == len(body) - 2 else body[:end] + b"\r\n"


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """One header field in the relaxed canonical form, CRLF included (RFC 6376 section 3.4.2)."""
    value = value.replace(b"\r\n", b"")
    if b"  " in value or b"\t" in value:
        value = _SPACES.sub(b" ", value)
    return name.rstrip(b" \t").lower() + b":" + value.strip(b" \t") + b"\r\n"


def _signed(fields: Sequence[Field]) -> tuple[list[bytes], bytes]:
    """The names for h= and the canonical bytes they stand for: the last of a repeated field first (section 5.4.2)."""
    names: list[bytes] = []
    canonical: list[bytes] = []
    for name, value in reversed(fields):
        lower = name.lower()
        if lower in SIGNED_FIELDS or lower.startswith(SIGNED_PREFIX):
            names.append(lower)
            canonical.append(relaxed_field(lower, value))
    names.extend(OVERSIGNED_FIELDS)
    return names, b"".join(canonical)


def _signature(key: DkimKey, names: list[bytes], canonical: bytes, body_hash: bytes, now_s: int) -> bytes:
    algorithm = b"rsa-sha256" if isinstance(key.private, RSAPrivateKey) else b"ed25519-sha256"
    tags = b"v=1; a=%s; c=relaxed/relaxed; d=%s;\r\n s=%s; t=%d;\r\n h=%s;\r\n bh=%s;\r\n b=" % (
        algorithm,
        key.domain.encode("ascii"),
        key.selector.encode("ascii"),
        now_s,
        _fold_names(names),
        body_hash,
    )
    # The signature's own field is hashed last, with b= empty and without its CRLF (section 3.7).
    signed = canonical + relaxed_field(b"dkim-signature", tags)[:-2]
    if isinstance(key.private, RSAPrivateKey):
        raw = key.private.sign(signed, PKCS1v15(), hashes.SHA256())
    else:
        raw = key.private.sign(hashlib.sha256(signed).digest())
    value = base64.b64encode(raw)
    lines = [value[at : at + _B_LINE_CHARS] for at in range(0, len(value), _B_LINE_CHARS)]
    return b"DKIM-Signature: " + tags + b"\r\n  ".join(lines) + b"\r\n"


def _fold_names(names: list[bytes]) -> bytes:
    lines: list[bytes] = []
    line = b""
    for name in names:
        if line and len(line) + len(name) + 1 > _B_LINE_CHARS:
            lines.append(line)
            line = name
        else:
            line = line + b":" + name if line else name
    lines.append(line)
    return b":\r\n  ".join(lines)
