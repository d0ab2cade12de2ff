"""The secret of a callback endpoint: `whsec_` and the base64 of 24 to 64 octets (Standard Webhooks)."""

import base64
import secrets

PREFIX = "whsec_"
MIN_OCTETS, MAX_OCTETS = 24, 64
NEW_OCTETS = 32


def new_webhook_secret() -> str:
    """A secret, 256 bits of chance."""
    return PREFIX + base64.b64encode(secrets.token_bytes(NEW_OCTETS)).decode("ascii")


def webhook_key(secret: str) -> bytes:
    """The octets to sign with; ValueError for what is no secret."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"a callback secret begins with {PREFIX}")
    try:
        key = base64.b64decode(secret[len(PREFIX) :], validate=True)
    except ValueError as error:
        raise ValueError("a callback secret is base64") from error
    if not MIN_OCTETS <= len(key) <= MAX_OCTETS:
        raise ValueError(f"a callback secret has {MIN_OCTETS} to {MAX_OCTETS} octets")
    return key


def is_webhook_secret(secret: str) -> bool:
    """Whether this can be signed with."""
    try:
        webhook_key(secret)
    except ValueError:
        return False
    return True
