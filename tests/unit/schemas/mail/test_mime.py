"""MIME: what a person would read, from messages that may mean harm."""

import base64
import contextlib
import time
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.mail.addresses import addresses
from schemas.mail.charsets import decode
from schemas.mail.fields import MailError, split
from schemas.mail.mime import parse_mail, safe_filename
from schemas.mail.parameters import parse
from schemas.mail.words import text


def nested(depth: int) -> bytes:
    """Multiparts in multiparts."""
    raw = b""
    for n in range(depth):
        raw += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
    return raw + b"\r\nx\r\n"


def test_text_html_and_attachments_are_told_apart() -> None:
    message = EmailMessage()
    message["Subject"] = "Grüße aus Zürich, und zwar so lang, dass es in eine Zeile nicht passt und gefaltet wird"
    message.set_content("Plain ü")
    message.add_alternative("<b>HTML ü</b>", subtype="html")
    message.add_attachment(b"%PDF", "application", "pdf", filename="Räder.pdf")
    mail = parse_mail(message.as_bytes())
    assert mail.subject == "Grüße aus Zürich, und zwar so lang, dass es in eine Zeile nicht passt und gefaltet wird"
    assert (mail.text, mail.html) == ("Plain ü\n", "<b>HTML ü</b>\n")
    assert [(one.filename, one.type, one.size_octets, one.inline) for one in mail.attachments] == [
        ("Räder.pdf", "application/pdf", 4, False)
    ]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?B?R3LDvMOf?= =?utf-8?B?ZQ==?= x", "Grüße x"),
        (b"=?utf-8?Q?Gr=C3?=\r\n =?utf-8?Q?=BC=C3=9Fe?=", "Grüße"),
        (b"=?iso-8859-1*de?Q?=FC?=", "ü"),
        (b"=?x-no-such?Q?abc?=", "abc"),
        (b"=?utf-8?B?!!!?=", ""),
        (b"a =?broken b", "a =?broken b"),
        ("ü".encode(), "ü"),
        (b"\xfc", "ü"),
    ],
)
def test_encoded_words_are_read(raw: bytes, said: str) -> None:
    assert text(raw) == said


def test_long_parameters_are_put_together() -> None:
    found = parse(b'attachment; filename*0*=utf-8\'\'R%C3%A4; filename*1*=der%2E; filename*2=pdf; x="a\\"b;c"')
    assert found.value == "attachment"
    assert found.parameters == {"filename": "Räder.pdf", "x": 'a"b;c'}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"ann@a.example", [("", "ann@a.example")]),
        (
            b'"Ann, of A" <ann@a.example>, Bob (x) <bob@b.example>',
            [("Ann, of A", "ann@a.example"), ("Bob", "bob@b.example")],
        ),
        (b"Team: ann@a.example, bob@b.example;", [("", "ann@a.example"), ("", "bob@b.example")]),
        (b"=?utf-8?Q?Z=C3=BC?= <z@a.example>", [("Zü", "z@a.example")]),
        (b"<@r.example:z@a.example>", [("", "z@a.example")]),
        (b'"a(\\"b"@a.example (comment (nested))', [("", '"a(\\"b"@a.example')]),
        (b"undisclosed:;", []),
        (b"<>", []),
    ],
)
def test_mailboxes_are_read(raw: bytes, found: list[tuple[str, str]]) -> None:
    assert list(addresses(raw)) == found


def test_a_name_leads_nowhere() -> None:
    assert safe_filename("../../etc/passwd") == "passwd"
    assert safe_filename("C:\\x\\a\r\n.txt") == "a.txt"
    assert safe_filename("..") == ""


@pytest.mark.parametrize("charset", ["idna", "punycode", "unicode_escape", "zlib", "rot13", "hex", "\ud800", "x" * 999])
def test_what_is_no_charset_is_not_used(charset: str) -> None:
    assert decode(b"a\xc3\xbc", charset) == "aü"


def test_half_a_character_does_not_get_through() -> None:
    decode(b"+2AA-", "utf-7").encode()


def test_nesting_and_parts_have_limits() -> None:
    assert parse_mail(nested(10)).text == "x\n"
    with pytest.raises(MailError, match="nested"):
        parse_mail(nested(12))
    with pytest.raises(MailError, match="too many parts"):
        parse_mail(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 600)
    with pytest.raises(MailError, match="too many fields"):
        parse_mail(b"A: b\r\n" * 1_001)
    with pytest.raises(MailError, match="too large"):
        parse_mail(b"A: " + b"b" * 300_000)


def test_the_line_end_before_a_boundary_is_the_boundarys() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\n\n--b\n--b  \n"
        b"Content-Type: text/html\n\ntwo\n--b--\nend"
    )
    mail = parse_mail(raw)
    assert (mail.text, mail.html) == ("one\n", "two")  # between the two lines is not even an empty header


def two_levels(outer: str, inner: str, rest: str) -> list[str]:
    """The texts of a multipart in a multipart, whose first text is followed by `rest`."""
    kind = "Content-Type: multipart/mixed; boundary="
    raw = f"{kind}{outer}\n\n--{outer}\n{kind}{inner}\n\n--{inner}\n\nin\n{rest}"
    return [part.text() for part in parse_mail(raw.encode()).root.leaves()]


def test_an_inner_boundary_counts_before_an_outer_one_and_an_outer_one_ends_what_is_open() -> None:
    assert two_levels("b", "b", "--b--\n--b\n\nout") == ["in", "out"]
    assert two_levels("b--", "b----", "--b------\n") == ["in"]
    assert two_levels("o", "i", "--o\n\nout") == ["in", "out"]


def test_a_multipart_of_no_part_says_nothing() -> None:
    mail = parse_mail(b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n--b--\n")
    assert (mail.text, mail.attachments) == ("", ())


def test_the_last_of_two_content_types_counts() -> None:
    mail = parse_mail(b"Content-Type: text/html\nContent-Type: text/plain\n\n<b>")
    assert (mail.text, mail.html) == ("<b>", "")


def test_what_is_not_what_its_header_says_is_left_as_it_came() -> None:
    (part,) = parse_mail(
        b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n... a picture ..."
    ).root.leaves()
    assert part.is_damaged
    assert part.octets() == b"... a picture ..."
    (part,) = parse_mail(b"Content-Type: message/rfc822\n\nno header").root.leaves()
    assert part.is_damaged
    assert not parse_mail(b"Content-Type: message/rfc822\n\nTo: a@b.example\n\nx").root.is_damaged


@pytest.mark.parametrize(
    "piece",
    [b"--b\n", b"--b\n\n", b"--bx\n", b"\n--", b"--b--\n", b"--c\nContent-Type: multipart/mixed; boundary=b\n\n"],
)
def test_a_megabyte_of_boundaries_is_read_at_once(piece: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(MailError):
        parse_mail(b"Content-Type: multipart/mixed; boundary=b\n\n" + piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"\r\n--b" * 200_000,
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b" + b" " * 900_000,
        b"Content-Type: multipart/mixed;" + b" a=b;" * 3_000 + b"\r\n\r\nx",
        b"Content-Type: text/plain; " + b'a="' * 5_000 + b"\r\n\r\nx",
        b"Content-Type: text/plain; " + b'a="\\' + b'\\"' * 4_000 + b"\r\n\r\nx",
        b"Subject: " + b"=?utf-8?q?" * 6_000 + b"\r\n\r\nx",
        b"Subject: " + b"=?utf-8?q?a?= " * 4_000 + b"\r\n\r\nx",
        b"Subject: =?" + b" " * 60_000 + b"\r\n\r\nx",
        b"A:\r\n" + b" \r\n" * 80_000 + b"\r\nx",
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 1_000_000,
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r\n" * 300_000,
        b"Content-Type: text/plain; charset=utf-7\r\n\r\n" + b"+" * 500_000,
        b"\n" * 1_000_000,
        nested(9) + b"y\r\n" * 100_000,
    ],
    ids=lambda raw: str(raw[:60] + raw[-10:]),
)
def test_a_hostile_message_is_read_at_once(raw: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(MailError):
        parse_mail(raw)
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize(
    "piece", [b"(", b"<", b'"', b",", b"a@b,", b"\\", b"<a@b>", b"a(b)", b":;", b"=?a?q?", b"@", b"[", b"a b "]
)
def test_hostile_addresses_are_read_at_once(piece: bytes) -> None:
    began = time.process_time()
    addresses(piece * (8_192 // len(piece)))
    assert time.process_time() - began < 0.1


@given(st.binary(max_size=2_000))
def test_any_octets_are_a_message(raw: bytes) -> None:
    mail = parse_mail(raw)
    mail.text.encode()
    mail.subject.encode()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), max_size=200))
def test_what_the_standard_library_writes_is_read_back(subject: str) -> None:
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content(base64.b64encode(subject.encode()).decode() + "\n")
    mail = parse_mail(message.as_bytes())
    assert mail.subject == subject
    assert base64.b64decode(mail.text) == subject.encode()


@given(st.binary(max_size=500))
def test_fields_and_body_are_all_of_a_message(raw: bytes) -> None:
    header, body = split(raw)
    assert raw.endswith(body)
    assert all(field.raw in raw for field in header.fields)
