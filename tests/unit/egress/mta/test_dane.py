"""Certificates held against TLSA records."""

import hashlib
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from egress.mta.dane import Tlsa, proves
from tests.unit.egress.mta.certificates import NOW, Issued, authority, issue

CA = authority()
HOST = issue(CA, "mx.b.test")


def record(usage: int, selector: int, matching: int, of: Issued) -> Tlsa:
    octets = of.der
    if selector == 1:
        octets = of.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    data = (octets, hashlib.sha256(octets).digest(), hashlib.sha512(octets).digest())[matching]
    return Tlsa(usage, selector, matching, data)


def held(*records: Tlsa, chain: tuple[Issued, ...] = (HOST, CA), host: str = "mx.b.test", now: datetime = NOW) -> bool:
    return proves(records, [one.der for one in chain], host, now)


@pytest.mark.parametrize("matching", [0, 1, 2])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("usage", [2, 3])
def test_a_host_is_proved_by_its_own_key_or_by_its_authority(usage: int, selector: int, matching: int) -> None:
    good, other = (
        record(usage, selector, matching, HOST if usage == 3 else CA),
        record(usage, selector, matching, authority()),
    )

    assert held(good)
    assert held(other, good)
    assert not held(other)


def test_with_the_hosts_own_key_neither_name_nor_date_matters_and_with_an_authority_both_do() -> None:
    ended = issue(CA, "mx.b.test", days=-1)

    assert held(record(3, 1, 1, HOST), host="elsewhere.test")
    assert held(record(3, 1, 1, ended), chain=(ended, CA))
    assert not held(record(2, 0, 1, CA), host="elsewhere.test")
    assert not held(record(2, 0, 1, CA), chain=(ended, CA))


def test_an_authority_must_be_in_the_chain_and_have_signed() -> None:
    assert not held(record(2, 0, 1, CA), chain=(HOST,))
    stranger = issue(authority(), "mx.b.test")
    assert not held(record(2, 0, 1, CA), chain=(stranger, CA))


@pytest.mark.parametrize(
    "useless", [Tlsa(0, 1, 1, bytes(32)), Tlsa(1, 1, 1, bytes(32)), Tlsa(3, 2, 1, bytes(32)), Tlsa(3, 1, 3, bytes(32)),
                Tlsa(3, 1, 1, bytes(31)), Tlsa(3, 1, 0, b"")],
)  # fmt: skip
def test_records_that_mail_cannot_use_are_known(useless: Tlsa) -> None:
    assert not useless.usable
    assert not held(useless)


def test_garbage_for_a_certificate_proves_nothing() -> None:
    assert not proves([record(3, 1, 1, HOST)], [b"junk"], "mx.b.test", NOW)
    assert not proves([record(3, 1, 1, HOST)], [], "mx.b.test", NOW)
    assert record(3, 1, 1, HOST).text.startswith("3 1 1 ")
