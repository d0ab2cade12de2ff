"""Callbacks of SendGrid: ECDSA P-256 with SHA-256 over the time and the raw body, in two `X-Twilio-Email-…` headers."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from domain.errors import ConfigError
from schemas.signatures.digest import from_base64
from schemas.signatures.window import is_recent


def public_key(written: str) -> EllipticCurvePublicKey:
    """The key as SendGrid shows it: a base64 SubjectPublicKeyInfo. Raises ConfigError for anything else."""
    try:
        key = load_der_public_key(from_base64(written))
    except ValueError as error:
        raise ConfigError("SendGrid's verification key cannot be read") from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise ConfigError("SendGrid's verification key is not one of an elliptic curve")
    return key


def verify(key: EllipticCurvePublicKey, signature: str, timestamp: str, body: bytes, now_ms: int) -> bool:
    """Whether the headers are SendGrid's for the body, and not old; `timestamp` is in seconds since the epoch."""
    try:
        key.verify(from_base64(signature), timestamp.encode("utf-8", "replace") + body, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return is_recent(timestamp, now_ms)
