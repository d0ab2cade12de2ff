"""Signs callbacks as Standard Webhooks has it: `v1,` and the base64 of HMAC-SHA256 over id.timestamp.body."""

import base64
import hmac
from collections.abc import Sequence

from schemas.sql.webhook_secret import webhook_key


def sign(secret: str, event_id: str, at_s: int, body: bytes) -> str:
    """One signature; `at_s` is in seconds since 1970. ValueError when `secret` is no `whsec_…`."""
    signed = f"{event_id}.{at_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(webhook_key(secret), signed, "sha256")).decode("ascii")


def headers(secrets: Sequence[str], event_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The three headers; a signature for each secret, so that a receiver may change its own at leisure."""
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(sign(secret, event_id, at_s, body) for secret in secrets),
    }
