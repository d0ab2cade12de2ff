"""Secrets of callback endpoints."""

import base64

import pytest

from schemas.sql.webhook_secret import is_webhook_secret, new_webhook_secret, webhook_key


def secret(octets: int) -> str:
    return "whsec_" + base64.b64encode(bytes(octets)).decode()


def test_a_new_secret_is_one_and_new() -> None:
    made = {new_webhook_secret() for _ in range(10)}
    assert len(made) == 10
    assert {len(webhook_key(s)) for s in made} == {32}


@pytest.mark.parametrize("octets", [24, 64])
def test_lengths_at_the_limits_are_taken(octets: int) -> None:
    assert webhook_key(secret(octets)) == bytes(octets)


@pytest.mark.parametrize(
    "wrong", ["", "whsec_", secret(23), secret(65), secret(32)[6:], "whsec_*" + secret(32)[7:], "whsec_æ"]
)
def test_anything_else_is_refused(wrong: str) -> None:
    assert not is_webhook_secret(wrong)
    with pytest.raises(ValueError, match="callback secret"):
        webhook_key(wrong)
