"""The forms of addresses."""

import pytest

from domain.validation.addresses import is_device_token, is_domain, is_mailbox, is_phone, is_sms_sender, is_user_id


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com", "a.b+c@example.co.uk", "!#$%&'*+/=?^_`{|}~-@example.com", '"john doe"@example.com',
        '"a\\"b"@example.com', "1@2.example", "ann@xn--mnchen-3ya.de", "ann@münchen.de", "a" * 64 + "@example.com",
    ],
)  # fmt: skip
def test_a_mailbox(address: str) -> None:
    assert is_mailbox(address)


@pytest.mark.parametrize(
    "address",
    [
        "", "@", "ann", "ann@", "@example.com", "ann@example", "ann@[127.0.0.1]", "ann@127.0.0.1", ".ann@example.com",
        "ann.@example.com", "a..b@example.com", "ann@-example.com", "ann@example-.com", "ann@example..com",
        "ann@example.com.", "ann @example.com", "ann@exam ple.com", "ann@example.com\n", "(x)ann@example.com",
        '"ann"x@example.com', '"a"b"@example.com', "åse@example.com", "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com", "a@" + "b.c" * 100, "ann@example.com, bob@example.com", "<ann@example.com>",
        "ann@exa_mple.com", "ann\x00@example.com",
    ],
)  # fmt: skip
def test_no_mailbox(address: str) -> None:
    assert not is_mailbox(address)


def test_a_phone_is_e164_with_its_plus() -> None:
    assert all(map(is_phone, ("+4520123456", "+14155551234", "+123456789012345", "+4599000001")))
    assert not any(
        map(is_phone, ("4520123456", "+0123456789", "+123456", "+1234567890123456", "+45 20123456", "+٤٥٢٠١٢٣٤٥"))
    )


def test_a_device_token_a_user_id_and_a_domain() -> None:
    assert is_device_token("fGci:APA91b-_" + "x" * 140)
    assert not is_device_token("x" * 15)
    assert not is_device_token("x" * 513)
    assert not is_device_token("x" * 20 + "\n")
    assert is_user_id("u-567")
    assert not is_user_id(" u")
    assert not is_user_id("u" * 256)
    assert is_domain("example.com")
    assert not is_domain("localhost")


def test_an_sms_sender() -> None:
    assert all(map(is_sms_sender, ("ACME", "My Shop", "+4520123456", "12345", "Ærø")))
    assert not any(map(is_sms_sender, ("", "12", "1" * 16, "A" * 12, "a@b", "x[", "!!!", " ACME", "A\n")))
