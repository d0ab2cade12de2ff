"""Files, pictures, one-click unsubscribing and the text of HTML."""

import email
import email.policy
from email.message import EmailMessage
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress.mta.extras import MAX_ATTACHED_BYTES, Attachment, Extras
from egress.mta.mime import MimeError, build
from egress.mta.plain import text_of
from tests.unit.egress.mta.attempts import NOW_MS, attempt

PICTURE = Attachment("logo.png", "image/png", b"\x89PNG" * 40, "logo@acme.test")
INVOICE = Attachment("Rechnung März.pdf", "application/pdf", bytes(range(256)) * 3)


def parsed(
    extras: Extras, *, text: str = "Hi\n", html: str = "", headers: dict[str, str] | None = None
) -> EmailMessage:
    raw = build(attempt(text=text, html=html, headers=headers), extras, now_ms=NOW_MS).message()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return email.message_from_bytes(raw, policy=email.policy.default)


def shape(message: EmailMessage) -> object:
    kind = message.get_content_type()
    return (
        (kind, [shape(cast(EmailMessage, part)) for part in message.iter_parts()]) if message.is_multipart() else kind
    )


def test_pictures_go_with_the_html_and_files_beside_both() -> None:
    message = parsed(Extras((PICTURE, INVOICE)), html='<p>Hi</p><img src="cid:logo@acme.test">')

    related = ("multipart/related", ["text/html", "image/png"])
    body = ("multipart/alternative", ["text/plain", related])
    assert shape(message) == ("multipart/mixed", [body, "application/pdf"])
    picture = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == "<logo@acme.test>"
    assert picture.get_content() == PICTURE.content
    invoice = next(part for part in message.walk() if part.get_content_type() == "application/pdf")
    assert (invoice.get_filename(), invoice.get_content_disposition()) == ("Rechnung März.pdf", "attachment")
    assert invoice.get_content() == INVOICE.content


def test_a_picture_that_no_html_can_show_is_a_file() -> None:
    assert shape(parsed(Extras((PICTURE,)))) == ("multipart/mixed", ["text/plain", "image/png"])


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="/\\"), min_size=1, max_size=150))
def test_any_file_name_comes_back(name: str) -> None:
    (part,) = parsed(Extras((Attachment(name, "text/csv", b"a,b"),))).iter_attachments()
    assert part.get_filename() == name


@pytest.mark.parametrize(
    "bad",
    [
        Attachment("a", "text/plain\r\nBcc: x@y.test", b""),
        Attachment("a", "message/rfc822", b""),
        Attachment("a", "multipart/mixed", b""),
        Attachment("a", "pdf", b""),
        Attachment("a", "image/png", b"", "a b"),
        Attachment("a", "image/png", b"", "a>\r\nX: y"),
        Attachment("a", "image/png", bytes(MAX_ATTACHED_BYTES + 1)),
    ],
)
def test_what_cannot_be_a_part_is_refused(bad: Attachment) -> None:
    with pytest.raises(MimeError):
        build(attempt(), Extras((bad,)), now_ms=NOW_MS)


def test_a_file_name_can_start_no_field_and_leave_no_folder() -> None:
    (part,) = parsed(Extras((Attachment('../a"\r\nBcc: x@y.test', "text/csv", b"1"),))).iter_attachments()
    assert part.get_filename() == '.._a" Bcc: x@y.test'
    assert part["Bcc"] is None


def test_one_click_unsubscribing_and_feedback_are_written() -> None:
    extras = Extras(
        unsubscribe_url="https://u.acme.test/o?t=abc",
        unsubscribe_mailto="mailto:u@acme.test",
        feedback_id="spring:acme:email:hermes",
    )
    message = parsed(extras)

    assert message["List-Unsubscribe"] == "<https://u.acme.test/o?t=abc>, <mailto:u@acme.test>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Feedback-ID"] == "spring:acme:email:hermes"
    assert parsed(Extras(unsubscribe_mailto="mailto:u@acme.test"))["List-Unsubscribe-Post"] is None
    given_fields = {"list-unsubscribe": "<https://mine.test/>", "Feedback-ID": "a:b:c:d"}
    kept = parsed(extras, headers=given_fields)
    assert kept.get_all("List-Unsubscribe") == ["<https://mine.test/>"]
    assert kept["List-Unsubscribe-Post"] is None
    assert kept.get_all("Feedback-ID") == ["a:b:c:d"]


@pytest.mark.parametrize(
    "bad",
    [
        Extras(unsubscribe_url="http://u.acme.test/"),
        Extras(unsubscribe_url="https://u.acme.test/ x"),
        Extras(unsubscribe_url="https://u.acme.test/>, <mailto:x@y.test"),
        Extras(unsubscribe_url="https://u.acme.test/" + "a" * 900),
        Extras(unsubscribe_mailto="mailto:a@b.test\r\nBcc: x@y.test"),
        Extras(feedback_id="only-one"),
        Extras(feedback_id="a:b:c:d\r\nBcc: x@y.test"),
    ],
)
def test_addresses_for_unsubscribing_and_feedback_are_checked(bad: Extras) -> None:
    with pytest.raises(MimeError):
        build(attempt(), bad, now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>Hi &amp; bye</h1><p>One<br>two</p>", "Hi & bye\n\nOne\ntwo\n"),
        ('<a href="https://a.test/?x=1&amp;y=2">Shop</a>', "Shop (https://a.test/?x=1&y=2)\n"),
        ("<a href=https://a.test/>https://a.test/</a>", "https://a.test/\n"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n\n- two\n"),
        ("<head><title>T</title><style>p {}</style></head><body>Text</body>", "Text\n"),
        ("a<!-- hidden <p> -->b<script>if (a<b) x()</script>c", "abc\n"),
        ("<img src=x alt='A logo'>", "A logo\n"),
        ("<!-- never ends", ""),
        ("1 < 2", "1 < 2\n"),
    ],
)
def test_html_has_a_readable_text(html: str, text: str) -> None:
    assert "\n".join(line for line in text_of(html).split("\n") if line) == "\n".join(
        line for line in text.split("\n") if line
    )


@given(st.text(max_size=300))
def test_any_html_has_a_text_without_odd_ends(html: str) -> None:
    text = text_of(html)
    assert text == "" or (text.endswith("\n") and not text.startswith("\n"))
    assert "\n\n\n" not in text
