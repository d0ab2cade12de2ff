"""Callbacks of Standard Webhooks: `webhook-signature` over id, time and body, by HMAC (v1) or Ed25519 (v1a)."""

import base64
import hashlib
import hmac
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.errors import ConfigError
from schemas.signatures.digest import from_base64, same
from schemas.signatures.window import is_recent

MAX_SIGNATURES: Final = 10
SECRET: Final = "whsec_"  # noqa: S105 - the prefix of secrets, not one
PUBLIC_KEY: Final = "whpk_"
_ED25519_OCTETS: Final = 32


def verify(key: str, message_id: str, timestamp: str, body: bytes, signatures: str, now_ms: int) -> bool:
    """Whether one of the space-separated signatures is of `key`, and not old.

    A key beginning with `whsec_` is a shared secret, one with `whpk_` a public key. Raises ConfigError for any other.
    """
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body
    given = [one.partition(",")[::2] for one in signatures.split()[:MAX_SIGNATURES]]
    if key.startswith(SECRET):
        digest = hmac.new(from_base64(key.removeprefix(SECRET)), signed, hashlib.sha256).digest()
        expected = base64.b64encode(digest).decode()
        verified = any(same(expected, one) for version, one in given if version == "v1")
    elif key.startswith(PUBLIC_KEY):
        verified = any(_is_signed(key, one, signed) for version, one in given if version == "v1a")
    else:
        raise ConfigError("a key of Standard Webhooks begins with whsec_ or whpk_")
    return verified and is_recent(timestamp, now_ms)


def _is_signed(key: str, signature: str, signed: bytes) -> bool:
    octets = from_base64(key.removeprefix(PUBLIC_KEY))
    if len(octets) != _ED25519_OCTETS:
        raise ConfigError("a public key of Standard Webhooks has 32 octets")
    try:
        Ed25519PublicKey.from_public_bytes(octets).verify(from_base64(signature), signed)
    except InvalidSignature:
        return False
    return True
