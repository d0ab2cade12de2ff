"""DMARC: alignment, the tree walk, and what the domain asks for."""

import pytest

from schemas.mail.dkim_verify import Signature
from schemas.mail.dmarc import Dmarc, check_dmarc, parse_dmarc, walked_names
from schemas.mail.spf import Spf
from tests.unit.schemas.mail.zone import Records, Zone

NO_SPF = Spf("none", "x.example")


def zone(**records: str) -> Zone:
    """Records by name: `a_example` stands for `_dmarc.a.example`."""
    found: dict[tuple[str, str], Records] = {
        (f"_dmarc.{name.replace('_', '.')}", "TXT"): (text,) for name, text in records.items()
    }
    return Zone(found)


def signed(domain: str) -> tuple[Signature, ...]:
    """One signature that passes."""
    return (Signature("pass", domain),)


@pytest.mark.parametrize(
    ("record", "spf", "dkim", "result"),
    [
        ("v=DMARC1; p=reject", Spf("pass", "a.example"), (), "pass"),
        ("v=DMARC1; p=reject", Spf("pass", "mail.a.example"), (), "pass"),
        ("v=DMARC1; p=reject; aspf=s", Spf("pass", "mail.a.example"), (), "fail"),
        ("v=DMARC1; p=reject", Spf("fail", "a.example"), (), "fail"),
        ("v=DMARC1; p=reject", NO_SPF, signed("a.example"), "pass"),
        ("v=DMARC1; p=reject; adkim=s", NO_SPF, signed("m.a.example"), "fail"),
        ("v=DMARC1; p=reject", NO_SPF, signed("b.example"), "fail"),
        ("v=DMARC1; p=reject", NO_SPF, (Signature("fail", "a.example"),), "fail"),
        ("v=DMARC1; p=nonsense", Spf("pass", "a.example"), (), "none"),
    ],
)
async def test_a_mail_passes_when_something_proved_is_of_the_same_organisation(
    record: str, spf: Spf, dkim: tuple[Signature, ...], result: str
) -> None:
    found = await check_dmarc(zone(a_example=record), "a.example", spf, dkim)
    assert found.result == result


@pytest.mark.parametrize(
    ("records", "domain", "policy"),
    [
        ({"a_example": "v=DMARC1; p=reject"}, "a.example", "reject"),
        ({"a_example": "v=DMARC1; p=reject; sp=quarantine"}, "m.a.example", "quarantine"),
        ({"a_example": "v=DMARC1; p=quarantine"}, "m.a.example", "quarantine"),
        ({"a_example": "v=DMARC1; p=none; np=reject"}, "m.a.example", "reject"),
        ({"a_example": "v=DMARC1; p=none; np=reject"}, "here.a.example", "none"),
        ({"a_example": "v=DMARC1; p=reject; t=y"}, "a.example", "quarantine"),
        ({"a_example": "v=DMARC1; p=none", "m_a_example": "v=DMARC1; p=reject"}, "m.a.example", "reject"),
        ({"example": "v=DMARC1; p=reject; psd=y; np=quarantine"}, "a.example", "quarantine"),
    ],
)
async def test_the_policy_is_that_of_the_domain_or_of_its_organisation(
    records: dict[str, str], domain: str, policy: str
) -> None:
    dns = zone(**records)
    dns.records = {**dns.records, ("here.a.example", "A"): ("192.0.2.1",)}
    found = await check_dmarc(dns, domain, NO_SPF, ())
    assert (found.result, found.policy) == ("fail", policy)


async def test_psd_says_where_an_organisation_ends() -> None:
    suffix = {"co_example": "v=DMARC1; p=reject; psd=y"}
    assert (await check_dmarc(zone(**suffix), "a.co.example", Spf("pass", "b.co.example"), ())).result == "fail"
    assert (await check_dmarc(zone(**suffix), "a.co.example", Spf("pass", "m.a.co.example"), ())).result == "pass"
    own = {"a_example": "v=DMARC1; p=reject", "m_a_example": "v=DMARC1; p=reject; psd=n"}
    assert (await check_dmarc(zone(**own), "m.a.example", Spf("pass", "a.example"), ())).result == "fail"


async def test_a_failed_look_up_is_for_now_and_no_domain_is_for_good() -> None:
    down = Zone({("_dmarc.a.example", "TXT"): None})
    assert await check_dmarc(down, "a.example", NO_SPF, ()) == Dmarc("temperror", "a.example")
    assert (await check_dmarc(Zone(), "a b", NO_SPF, ())).result == "permerror"


def test_a_walk_asks_at_most_eight_names() -> None:
    assert walked_names("a.b.example") == ["a.b.example", "b.example", "example"]
    deep = walked_names("1.2.3.4.5.6.7.8.9.example")
    assert deep[:2] == ["1.2.3.4.5.6.7.8.9.example", "4.5.6.7.8.9.example"]
    assert len(deep) == 8


def test_two_records_are_none() -> None:
    assert parse_dmarc([b"v=DMARC1; p=none", b"v=DMARC1; p=reject"]) is None
    assert parse_dmarc([b"v=DMARC1; rua=mailto:a@b"]) is not None
    assert parse_dmarc([b"v=DMARC12; p=none"]) is None
