"""Mailbox addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress.mta.mailbox import AddressError, Mailbox, ascii_domain_of, parse_mailbox


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("a@b.test", Mailbox("a", "b.test")),
        ("First.Last+label@Example.COM.", Mailbox("First.Last+label", "example.com")),
        ('"a b@c"@x.test', Mailbox('"a b@c"', "x.test")),
        ("info@bücher.example", Mailbox("info", "xn--bcher-kva.example")),
    ],
)
def test_a_mailbox_is_read_and_its_domain_made_ascii(text: str, mailbox: Mailbox) -> None:
    assert parse_mailbox(text) == mailbox


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "@",
            "a@",
            "@b.test",
            "a b@c.test",
            "a..b@c.test",
            ".a@b.test",
            "a@b..test",
            "a@-b.test",
            "a@[127.0.0.1]",
        ],
        "a@b.test\r\nRCPT TO:<x@y.test>",
        "a>@b.test",
        "a\x00@b.test",
        "é\n@b.test",
        f"{'a' * 65}@b.test",
        f"a@{'b' * 254}",
    ],
)
def test_what_is_no_mailbox_is_refused(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_mailbox(text)
    assert caught.value.code == "5.1.3"


def test_a_local_part_outside_ascii_needs_smtputf8_and_its_octets_are_counted() -> None:
    assert parse_mailbox("jürgen@example.test").needs_utf8
    assert not parse_mailbox("jurgen@bücher.test").needs_utf8
    for bad in (
        "ü" * 33 + "@example.test",
        "jür gen@example.test",
        "jür\u2028gen@example.test",
        "jür..gen@example.test",
    ):
        with pytest.raises(AddressError) as caught:
            parse_mailbox(bad)
        assert caught.value.code == "5.1.3"


@given(st.text(max_size=80))
def test_no_address_ever_carries_a_line_end_or_an_angle_bracket_out_of_quotes(text: str) -> None:
    try:
        mailbox = parse_mailbox(text)
    except AddressError:
        return
    written = str(mailbox)
    assert written.isascii()
    assert written.isprintable()
    assert written.startswith('"') or not set(written) & set("<> ")


@given(st.text(max_size=300))
def test_a_domain_is_ascii_or_refused(text: str) -> None:
    try:
        domain = ascii_domain_of(text)
    except AddressError:
        return
    assert domain.isascii()
    assert domain == domain.lower()
    assert len(domain) <= 253
