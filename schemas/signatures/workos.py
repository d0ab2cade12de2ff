"""Callbacks of WorkOS: `WorkOS-Signature: t=<ms>, v1=<hex>` over the time, a dot and the raw body."""

from typing import Final

from schemas.signatures.digest import hex_sha256, same
from schemas.signatures.window import is_recent

TOLERANCE_MS: Final = 180_000
MAX_HEADER_CHARS: Final = 1_024


def verify(secret: str, header: str, body: bytes, now_ms: int) -> bool:
    """Whether the header is ours for the body, and not old."""
    if len(header) > MAX_HEADER_CHARS:
        return False
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    at, given = parts.get("t", ""), parts.get("v1", "")
    expected = hex_sha256(secret, at.encode("utf-8", "replace") + b"." + body)
    return same(expected, given) and is_recent(at, now_ms, unit_ms=1, tolerance_ms=TOLERANCE_MS)
