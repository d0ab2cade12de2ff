"""Refusals as SMTP replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import CODES, Code, FieldError, status_of
from domain.verdict import Reject
from ingress.smtp.replies import is_temporary, line, lines, refusal


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_catalogue_has_a_reply_that_repeats_when_http_does(code: Code) -> None:
    reply = refusal(Reject(1, code, "Why."))
    repeats = status_of(code) in (429, 500, 503) or code == "idempotency_in_progress"
    assert is_temporary(reply) == repeats
    assert reply[:1] == reply[4:5]


@given(st.text(max_size=2_000))
def test_a_reply_is_one_line_of_ascii_whatever_is_in_it(text: str) -> None:
    reply = refusal(Reject(5, "validation_failed", text, (FieldError(text, "x", text),)))
    assert reply.isascii()
    assert reply.isprintable()
    assert len(reply) <= 510
    assert line(text).isprintable() or not text


def test_many_lines_carry_one_code() -> None:
    assert lines("250 2.0.0 Ok", ["a", "b"]) == "250-2.0.0 Ok\n250-2.0.0 a\n250 2.0.0 b"
