"""Return paths name their attempt, and nobody else can make one."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress.mta import verp
from egress.mta.mailbox import parse_mailbox

SECRET = b"0123456789abcdef"
IDS = st.uuids().map(lambda one: f"msg-{one}")


@given(IDS, st.integers(0, 255))
def test_a_token_gives_its_attempt_back_in_any_case(message_id: str, attempt: int) -> None:
    token = verp.encode(message_id, attempt, SECRET)

    assert verp.decode(token, SECRET) == (message_id, attempt)
    assert verp.decode(token.upper(), SECRET) == (message_id, attempt)
    assert len(token) == verp.TOKEN_CHARS
    parse_mailbox(f"{verp.LOCAL_PREFIX}{token}@rp.acme.test")


@given(IDS, st.integers(0, verp.TOKEN_CHARS - 1), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_token_that_was_changed_is_none(message_id: str, at: int, letter: str) -> None:
    token = verp.encode(message_id, 1, SECRET)
    changed = token[:at] + letter + token[at + 1 :]

    assert verp.decode(changed, SECRET) is None or changed == token
    assert verp.decode(token, b"another secret") is None


@given(st.text(max_size=60))
def test_any_text_is_no_token(text: str) -> None:
    assert verp.decode(text, SECRET) is None


@pytest.mark.parametrize(
    ("message_id", "attempt", "secret"),
    [
        ("m1", 1, SECRET),
        ("msg-x", 1, SECRET),
        (f"msg-{uuid.UUID(int=1)}", 256, SECRET),
        (f"msg-{uuid.UUID(int=1)}", 1, b""),
    ],
)
def test_what_cannot_be_named_is_refused(message_id: str, attempt: int, secret: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the class is the promise
        verp.encode(message_id, attempt, secret)
