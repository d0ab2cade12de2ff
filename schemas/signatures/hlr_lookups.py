"""Requests and callbacks of hlr-lookups.com: `X-Digest-Signature` over endpoint, time, method and body."""

from schemas.signatures.digest import hex_sha256, same
from schemas.signatures.window import is_recent


def sign(secret: str, endpoint: str, timestamp: str, method: str, body: bytes) -> str:
    """The signature of a request; `timestamp` is in seconds since the epoch, and the body of a GET is empty."""
    return hex_sha256(secret, f"{endpoint}{timestamp}{method.upper()}".encode() + body)


def verify(secret: str, endpoint: str, timestamp: str, method: str, body: bytes, signature: str, now_ms: int) -> bool:
    """Whether the signature is ours for these, and not old."""
    return same(sign(secret, endpoint, timestamp, method, body), signature) and is_recent(timestamp, now_ms)
