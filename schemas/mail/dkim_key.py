"""The public key that a domain publishes for its signatures (RFC 6376 section 3.6.1, RFC 8463, RFC 8301)."""

import binascii
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from schemas.mail.tags import TagError, parse_tags, without_spaces

MIN_RSA_BITS: Final = 1_024
MAX_RSA_BITS: Final = 8_192


class KeyRecordError(ValueError):
    """The record holds no key that may be used."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key; `strict` when the signature's identity must be of the very domain (flag s), `testing` for flag y."""

    key: RSAPublicKey | Ed25519PublicKey
    strict: bool
    testing: bool

    @property
    def kind(self) -> str:
        """`rsa` or `ed25519`, as the signature names it."""
        return "rsa" if isinstance(self.key, RSAPublicKey) else "ed25519"

    def proves(self, signature: bytes, digest: bytes) -> bool:
        """Whether `signature` is this key's over a SHA-256 `digest`."""
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, digest, PKCS1v15(), Prehashed(SHA256()))
            else:
                self.key.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


def parse_key(record: bytes) -> PublicKey:
    """The key in the record of a selector. Raises KeyRecordError: no such record, revoked, of another kind, too short."""
    try:
        tags = parse_tags(record)
    except TagError as error:
        raise KeyRecordError("the key record cannot be read") from error
    if "v" in tags and (next(iter(tags)) != "v" or tags["v"] != "DKIM1"):
        raise KeyRecordError("the key record has another version")
    if "sha256" not in _listed(tags.get("h", "sha256")):
        raise KeyRecordError("the key is not for SHA-256")
    if not {"*", "email"} & _listed(tags.get("s", "*")):
        raise KeyRecordError("the key is not for mail")
    published = without_spaces(tags.get("p", ""))
    if not published:
        raise KeyRecordError("the key is revoked")
    flags = _listed(tags.get("t", ""))
    return PublicKey(_key(tags.get("k", "rsa"), published), "s" in flags, "y" in flags)


def _key(kind: str, published: str) -> RSAPublicKey | Ed25519PublicKey:
    try:
        octets = binascii.a2b_base64(published.encode("ascii"))
        match kind:
            case "ed25519":
                return Ed25519PublicKey.from_public_bytes(octets)
            case "rsa":
                key = load_der_public_key(octets)
            case _:
                raise KeyRecordError("the key is of an unknown kind")
    except (ValueError, UnsupportedAlgorithm) as error:
        raise error if isinstance(error, KeyRecordError) else KeyRecordError("the key cannot be read") from error
    if not isinstance(key, RSAPublicKey) or not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise KeyRecordError("the key is of no size that may be used")
    return key


def _listed(value: str) -> set[str]:
    return {one.strip().lower() for one in value.split(":")}
