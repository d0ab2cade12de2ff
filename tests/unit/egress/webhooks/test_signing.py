"""Signatures of Standard Webhooks, against HMAC written out (RFC 2104)."""

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from egress.webhooks.signing import headers, sign
from schemas.sql.webhook_secret import new_webhook_secret

BLOCK = 64


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    padded = key.ljust(BLOCK, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in padded) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in padded) + inner).digest()


@given(st.binary(min_size=24, max_size=64), st.text("abc_-:123", min_size=1), st.integers(0, 2**40), st.binary())
def test_the_signature_is_over_id_time_and_body(key: bytes, event_id: str, at_s: int, body: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    expected = hmac_sha256(key, event_id.encode() + b"." + str(at_s).encode() + b"." + body)
    assert sign(secret, event_id, at_s, body) == "v1," + base64.b64encode(expected).decode()


def test_a_secret_that_is_being_replaced_signs_too() -> None:
    old, new = new_webhook_secret(), new_webhook_secret()
    made = headers((new, old), "evt-1", 12, b"{}")
    assert made["webhook-id"] == "evt-1"
    assert made["webhook-timestamp"] == "12"
    assert made["webhook-signature"].split(" ") == [sign(new, "evt-1", 12, b"{}"), sign(old, "evt-1", 12, b"{}")]
