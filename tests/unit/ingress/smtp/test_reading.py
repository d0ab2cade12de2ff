"""A message as content: what is refused before anything else looks at it."""

from hypothesis import given
from hypothesis import strategies as st

from ingress.smtp.reading import has_longer_line, read_content
from ingress.smtp.settings import SmtpServerSettings


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 30), st.booleans())
def test_a_longer_line_is_found_wherever_it_stands(lengths: list[int], limit: int, ended: bool) -> None:
    raw = b"\n".join(b"x" * length for length in lengths) + (b"\n" if ended else b"")
    assert has_longer_line(raw, limit) == any(length > limit for length in lengths)


def test_the_sender_is_the_mailbox_of_from_however_it_is_written() -> None:
    for written in (
        b"news@acme.example",
        b"<news@acme.example>",
        b"Acme <news@acme.example>",
        b'"Acme, Inc." <news@acme.example>',
        b"=?utf-8?Q?Z=C3=BC?= <news@acme.example>",
        b"news@acme.example (Acme)",
    ):
        content = read_content(b"From: " + written + b"\r\n\r\nHi\r\n", SmtpServerSettings())
        assert content.sender == "news@acme.example"


def test_all_that_the_fields_say_is_kept() -> None:
    raw = (
        b"From: a@acme.example\r\nMessage-ID: <1@acme.example>\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
        b"X-Hermes-Reference: r1\r\nX-Hermes-Rule: rule-1\r\nX-Hermes-Metadata: a = b=c\r\n\r\nHi\r\n"
    )
    content = read_content(raw, SmtpServerSettings())
    assert (content.body.subject, content.body.text) == ("Gr\u00fc\u00dfe", "Hi\n")
    assert (content.message_id, content.reference, content.rule_id) == ("<1@acme.example>", "r1", "rule-1")
    assert content.metadata == {"a": "b=c"}
