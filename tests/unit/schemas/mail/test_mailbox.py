"""The form of an address: which standard allows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.validation.addresses import is_mailbox
from schemas.mail.mailbox import Form, form_of


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("a.b+c@d.example", "plain"),
        ('"a b"@d.example', "smtp"),
        ("a@[192.0.2.1]", "smtp"),
        ("a@[IPv6:2001:db8::1]", "smtp"),
        ("a@localhost", "smtp"),
        ("(c)a@d.example (c (d))", "commented"),
        ("\r\n a@d.example", "commented"),
        ("a @d.example", "obsolete"),
        ('a."b"@d.example', "obsolete"),
        ("a@[IPv6:1:2:3:4:5:6::8]", "obsolete"),
        ("a" * 65 + "@d.example", "unusual"),
        ("a@d_e.example", "unusual"),
        ("a@[IPv6:1::2::3]", "unusual"),
        ("a@[IPv6:1::2:]", "unusual"),
        ("a@[IPv6:12345::]", "unusual"),
        ("a@[x\\]y]", "unusual"),
        ("a@b@d.example", "invalid"),
        ("a..b@d.example", "invalid"),
        ("a@-d.example", "invalid"),
        ("a@d.example\r\n", "invalid"),
        ('"a@d.example', "invalid"),
        ("a@[192.0.2.1]x", "invalid"),
        ("(" * 30 + ")" * 30 + "a@d.example", "invalid"),
        ("a@" + "d." * 2_000, "invalid"),
        ("", "invalid"),
    ],
)
def test_the_weakest_part_decides(address: str, form: Form) -> None:
    assert form_of(address) == form


@given(st.text(alphabet='ab.@"\\()[]:1 \r\n\x00\x7fé-', max_size=40))
def test_what_the_product_takes_can_go_over_the_wire(address: str) -> None:
    if is_mailbox(address) and address.isascii():
        assert form_of(address) in ("plain", "smtp")
