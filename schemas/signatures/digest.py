"""Keyed digests compared in constant time; every HMAC scheme of the providers is one of these with its own text."""

import base64
import binascii
import hashlib
import hmac

MAX_SIGNATURE_CHARS = 1_024


def hex_sha256(secret: str, signed: bytes) -> str:
    """HMAC-SHA256 of `signed` in lower-case hexadecimal."""
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def same(expected: str, given: str) -> bool:
    """Whether the two are equal, in a time that does not tell where they differ."""
    return len(given) <= MAX_SIGNATURE_CHARS and hmac.compare_digest(
        expected.encode(), given.encode("utf-8", "replace")
    )


def from_base64(text: str) -> bytes:
    """The octets of a base64 text, empty for none that is well formed and short."""
    if len(text) > MAX_SIGNATURE_CHARS:
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
