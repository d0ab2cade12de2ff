"""Callbacks of Messente: `X-Messente-Signature: <hex>` is the HMAC-SHA256 of the raw body."""

from schemas.signatures.digest import hex_sha256, same


def verify(shared_secret: str, signature: str, body: bytes) -> bool:
    """Whether the header is ours for the body. There is no time in it: a repetition must be found by its ids."""
    return same(hex_sha256(shared_secret, body), signature)
