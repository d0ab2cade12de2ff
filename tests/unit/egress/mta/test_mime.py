"""The message of an attempt, read back by the standard library."""

import email
import email.policy
import re
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress.mta.headers import clean, encoded_words
from egress.mta.mailbox import AddressError
from egress.mta.mime import RESERVED_FIELDS, MimeError, build
from egress.mta.plain import text_of as plain_text_of
from tests.unit.egress.mta.attempts import NOW_MS, attempt

# The parser of the standard library drops the white space around encoded words, so a subject has no odd spaces here.
SUBJECTS = st.text(st.characters(exclude_categories=["Cs", "Zs"]) | st.just(" "), max_size=200)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3_000)


def parsed(raw: bytes) -> EmailMessage:
    """The message as Python's own parser sees it."""
    return email.message_from_bytes(raw, policy=email.policy.default)


def lines_of(text: str) -> list[str]:
    """Lines as CR, LF and CRLF end them."""
    return re.sub(r"\r\n|\r", "\n", text).removesuffix("\n").split("\n")


def text_of(part: EmailMessage) -> str:
    """The decoded text of a part."""
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode("utf-8")


def assert_wire_form(raw: bytes) -> None:
    """CRLF only, seven bits, no line over 998."""
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    assert b"\x00" not in raw
    assert raw.endswith(b"\r\n")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_a_plain_mail_looks_as_a_person_would_write_it() -> None:
    mail = build(attempt(headers={"List-Unsubscribe": "<https://acme.test/u/1>"}), now_ms=NOW_MS)

    assert mail.message() == (
        b"Date: Mon, 21 Sep 2026 14:13:20 +0000\r\n"
        b"From: Acme <news@acme.test>\r\n"
        b"To: delivered@sandbox.test\r\n"
        b"Message-ID: <msg-0190f5fe.1@acme.test>\r\n"
        b"Subject: Your order\r\n"
        b"List-Unsubscribe: <https://acme.test/u/1>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=us-ascii\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"It is on its way.\r\n"
    )
    assert mail.message_id == "<msg-0190f5fe.1@acme.test>"


def test_text_and_html_become_alternatives_with_the_text_first() -> None:
    raw = build(attempt(text="Grüße", html="<p>Grüße</p>"), now_ms=NOW_MS).message()

    message = parsed(raw)
    assert message.get_content_type() == "multipart/alternative"
    parts = [cast(EmailMessage, part) for part in message.iter_parts()]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [text_of(part).strip() for part in parts] == ["Grüße", "<p>Grüße</p>"]
    assert not message.defects
    assert_wire_form(raw)


def test_html_alone_gets_its_text_beside_it() -> None:
    message = parsed(build(attempt(text="", html="<p>Hi <b>you</b></p>"), now_ms=NOW_MS).message())

    text, html = (cast(EmailMessage, part) for part in message.iter_parts())
    assert message.get_content_type() == "multipart/alternative"
    assert (text.get_content_type(), text_of(text).strip()) == ("text/plain", "Hi you")
    assert (html.get_content_type(), text_of(html).strip()) == ("text/html", "<p>Hi <b>you</b></p>")


def test_html_that_has_no_text_stays_alone() -> None:
    message = parsed(build(attempt(text="", html="<img src='https://a.test/x.png'>"), now_ms=NOW_MS).message())

    assert message.get_content_type() == "text/html"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain\n", "7bit"),
        ("x" * 998 + "\n", "7bit"),
        ("x" * 999 + "\n", "quoted-printable"),
        ("Ein schöner Tag heute\n", "quoted-printable"),
        ("nul\x00 in a longer line of text\n", "quoted-printable"),
        ("Привет, мир\n", "base64"),
    ],
)
def test_the_transfer_encoding_follows_the_content(text: str, encoding: str) -> None:
    mail = build(attempt(text=text), now_ms=NOW_MS)

    assert dict(mail.fields)[b"Content-Transfer-Encoding"] == encoding.encode()
    assert_wire_form(mail.message())
    assert text_of(parsed(mail.message())).replace("\r\n", "\n") == text


@given(TEXTS, TEXTS)
def test_any_text_and_html_come_back_as_they_were(text: str, html: str) -> None:
    raw = build(attempt(text=text, html=html), now_ms=NOW_MS).message()

    assert_wire_form(raw)
    message = parsed(raw)
    parts = list(message.iter_parts()) if message.is_multipart() else [message]
    expected = [one for one in (text or plain_text_of(html), html) if one] or [""]
    assert [lines_of(text_of(cast(EmailMessage, part))) for part in parts] == [lines_of(one) for one in expected]


@given(SUBJECTS)
def test_any_subject_comes_back_on_one_line(subject: str) -> None:
    raw = build(attempt(subject=subject), now_ms=NOW_MS).message()

    assert_wire_form(raw)
    read = str(parsed(raw)["Subject"])
    assert " ".join(read.split()) == " ".join(clean(subject).split())


@given(st.text(max_size=200), st.text(max_size=250), st.text(max_size=300))
def test_no_text_can_start_another_field(subject: str, name: str, extra: str) -> None:
    injection = "\r\nBcc: spy@evil.test\r\n\r\nbody"
    mail = build(
        attempt(subject=subject + injection, sender_name=name[:200] + injection, headers={"X-Note": extra + injection}),
        now_ms=NOW_MS,
    )

    assert_wire_form(mail.message())
    message = parsed(mail.message())
    assert message.keys() == [field.decode() for field, _ in mail.fields]
    assert message["Bcc"] is None
    assert message["From"].addresses[-1].addr_spec == "news@acme.test"


@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Co", "Cf"]), min_size=1, max_size=100
    )
)
def test_any_display_name_comes_back(name: str) -> None:
    raw = build(attempt(sender_name=name), now_ms=NOW_MS).message()

    # The newer policy puts a space between adjacent encoded words of a display name; the older decoder does not.
    written, address = parseaddr(" ".join(email.message_from_bytes(raw)["From"].splitlines()))
    assert address == "news@acme.test"
    assert str(make_header(decode_header(written))) == name


@given(st.text(max_size=300))
def test_every_encoded_word_is_whole_and_short(text: str) -> None:
    for word in encoded_words(text).split(b"\r\n "):
        assert len(word) <= 75
        assert re.fullmatch(rb"=\?utf-8\?b\?[A-Za-z0-9+/]*=*\?=", word)


@pytest.mark.parametrize("name", [*sorted(RESERVED_FIELDS), "FROM", "Content-Type", "ARC-Seal", "Resent-From"])
def test_a_field_that_hermes_writes_cannot_be_set(name: str) -> None:
    with pytest.raises(MimeError):
        build(attempt(headers={name: "x"}), now_ms=NOW_MS)


@pytest.mark.parametrize("name", ["", "X Y", "X:Y", "X\r\nBcc", "X-é", "X" * 77])
def test_a_bad_field_name_is_refused(name: str) -> None:
    with pytest.raises(MimeError):
        build(attempt(headers={name: "x"}), now_ms=NOW_MS)


def test_fields_are_refused_when_repeated_too_many_or_too_long() -> None:
    for headers in (
        {"X-A": "1", "x-a": "2"},
        {f"X-{number}": "1" for number in range(65)},
        {"X-A": "a" * 8_193},
        {"List-Unsubscribe": "<https://acme.test/" + "a" * 1_000 + ">"},
        {"References": "<é@acme.test>"},
    ):
        with pytest.raises(MimeError):
            build(attempt(headers=headers), now_ms=NOW_MS)


def test_long_structured_fields_fold_between_words() -> None:
    references = " ".join(f"<{number:020}@acme.test>" for number in range(40))
    raw = build(attempt(headers={"References": references}), now_ms=NOW_MS).message()

    assert parsed(raw)["References"] == references
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78


def test_reply_to_may_have_a_display_name_outside_ascii() -> None:
    raw = build(attempt(headers={"Reply-To": "Jürgen Groß <help@acme.test>"}), now_ms=NOW_MS).message()

    (address,) = parsed(raw)["Reply-To"].addresses
    assert (address.display_name, address.addr_spec) == ("Jürgen Groß", "help@acme.test")


def test_sizes_have_limits() -> None:
    for too_much in (
        attempt(subject="s" * 2_001),
        attempt(sender_name="s" * 257),
        attempt(text="s" * (4 * 1024 * 1024 + 1)),
    ):
        with pytest.raises(MimeError):
            build(too_much, now_ms=NOW_MS)


def test_a_bad_sender_is_told_from_a_bad_recipient() -> None:
    with pytest.raises(AddressError) as sender:
        build(attempt(sender="nobody"), now_ms=NOW_MS)
    with pytest.raises(AddressError) as recipient:
        build(attempt(address="nobody"), now_ms=NOW_MS)

    assert (sender.value.code, recipient.value.code) == ("5.1.7", "5.1.3")


def test_the_message_id_is_safe_whatever_the_id_holds() -> None:
    mail = build(attempt(message_id="a>\r\nBcc: x@y.test"), now_ms=NOW_MS)

    assert mail.message_id == "<a-Bcc-x-y-test.1@acme.test>"
