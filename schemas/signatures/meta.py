"""Callbacks of Meta (WhatsApp, Messenger), and of GitHub: `X-Hub-Signature-256: sha256=<hex>` over the raw body."""

from schemas.signatures.digest import hex_sha256, same


def verify(app_secret: str, signature: str, body: bytes) -> bool:
    """Whether the header is ours for the body. There is no time in it: a repetition must be found by its ids."""
    return same(f"sha256={hex_sha256(app_secret, body)}", signature)
