"""MTA-STS records and policies, and how they are kept."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress.mta.lookup import DnsError
from egress.mta.sts import StsError, StsPolicy, parse_policy, record_id
from egress.mta.sts_cache import StsPolicies
from egress.mta.sts_fetch import FetchError
from egress.mta.tls_report import Failure, Policy, TlsReport
from tests.unit.egress.mta.clocks import FakeClock
from tests.unit.egress.mta.turns import turn

POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mail.b.test\r\nmx: *.mx.b.test\r\nmax_age: 86400\r\n"


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ((b"v=STSv1; id=20260101T000000;",), "20260101T000000"),
        ((b"v=spf1 -all", b"v=STSv1;id=a1"), "a1"),
        ((b"v=STSv1; x=y; id=a1; z=w",), "a1"),
        ((), ""),
        ((b"v=STSv1; id=a", b"v=STSv1; id=b"), ""),
        ((b"v=STSv1",), ""),
        ((b"v=STSv1; id=a-b",), ""),
        ((b"v=STSv1; id=" + b"a" * 33,), ""),
        ((b"v=STSv10; id=a",), ""),
        ((b"v=STSv1; id=a; id=b",), ""),
    ],
)
def test_a_record_has_one_id(texts: tuple[bytes, ...], told: str) -> None:
    assert record_id(texts) == told


def test_a_policy_is_read_and_written() -> None:
    policy = parse_policy(POLICY)

    assert policy == StsPolicy("enforce", ("mail.b.test", "*.mx.b.test"), 86_400)
    assert parse_policy("\n".join(policy.lines).encode()) == policy
    assert parse_policy(b"version: STSv1\nmode: none\nmax_age: 9999999999\nodd\nother: x\nmode: enforce") == StsPolicy(
        "none", (), 31_557_600
    )


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"mode: enforce\nmx: a.test\nmax_age: 1",
        POLICY.replace(b"STSv1", b"STSv2"),
        POLICY.replace(b"enforce", b"strict"),
        POLICY.replace(b"86400", b"-1"),
        POLICY.replace(b"86400", b"99999999999"),
        POLICY.replace(b"mail.b.test", b"*.*.test"),
        POLICY.replace(b"mail.b.test", b"a b"),
        b"version: STSv1\nmode: enforce\nmax_age: 1",
        POLICY + b"mx: a.test\n" * 100,
        POLICY + b"\xff",
        b"x" * 65_537,
    ],
)
def test_what_is_no_policy_is_refused(document: bytes) -> None:
    with pytest.raises(StsError):
        parse_policy(document)


@given(st.binary(max_size=200))
def test_any_document_is_a_policy_or_refused(document: bytes) -> None:
    try:
        parse_policy(b"version: STSv1\nmode: testing\nmax_age: 5\n" + document)
    except StsError:
        return


@pytest.mark.parametrize(
    ("host", "listed"),
    [
        ("mail.b.test", True),
        ("MAIL.B.TEST.", True),
        ("a.mx.b.test", True),
        ("mx.b.test", False),
        ("a.b.mx.b.test", False),
        ("mail.b.test.evil.test", False),
    ],
)
def test_the_star_is_one_label(host: str, listed: bool) -> None:
    assert parse_policy(POLICY).lists(host) is listed


@dataclass
class FakeDomain:
    """The record and the document of a domain; None fails."""

    texts: tuple[bytes, ...] | None = (b"v=STSv1; id=a;",)
    document: bytes | None = POLICY
    asked: list[str] = field(default_factory=list)

    async def txt(self, name: str) -> tuple[bytes, ...]:
        self.asked.append(name)
        await turn()
        if self.texts is None:
            raise DnsError(name)
        return self.texts

    async def fetch(self, domain: str) -> bytes:
        self.asked.append(domain)
        if self.document is None:
            raise FetchError("status 404")
        return self.document


def policies(domain: FakeDomain, clock: FakeClock, report: TlsReport | None = None) -> StsPolicies:
    return StsPolicies(domain.txt, domain.fetch, clock, report or TlsReport())


async def test_a_policy_is_asked_for_once_and_again_when_its_id_changes() -> None:
    domain, clock = FakeDomain(), FakeClock()
    known = policies(domain, clock)

    found = await asyncio.gather(*(known.policy("b.test") for _ in range(20)))
    assert {policy.mode if policy else "" for policy in found} == {"enforce"}
    assert domain.asked == ["_mta-sts.b.test", "b.test"]

    clock.now_ms += 300_000
    await known.policy("b.test")
    assert domain.asked[2:] == ["_mta-sts.b.test"]

    clock.now_ms += 300_000
    domain.texts, domain.document = (b"v=STSv1; id=b;",), POLICY.replace(b"enforce", b"testing")
    renewed = await known.policy("b.test")
    assert renewed is not None
    assert renewed.mode == "testing"


async def test_a_known_policy_outlives_failures_until_its_age() -> None:
    domain, clock, report = FakeDomain(), FakeClock(), TlsReport()
    known = policies(domain, clock, report)
    await known.policy("b.test")

    for texts, document in ((None, POLICY), ((), POLICY), ((b"v=STSv1; id=b",), None), ((b"v=STSv1; id=c",), b"junk")):
        clock.now_ms += 300_000
        domain.texts, domain.document = texts, document
        kept = await known.policy("b.test")
        assert kept is not None
        assert kept.mode == "enforce"

    counted = report.take()["b.test"][Policy("sts", "b.test")].failures
    assert counted == {
        Failure("sts-policy-fetch-error", "mta-sts.b.test"): 1,
        Failure("sts-policy-invalid", "mta-sts.b.test"): 1,
    }
    clock.now_ms += 86_400_000
    assert await known.policy("b.test") is None


async def test_a_policy_is_renewed_before_it_ends() -> None:
    domain, clock = FakeDomain(document=POLICY.replace(b"86400", b"600")), FakeClock()
    known = policies(domain, clock)

    for _ in range(10):
        assert await known.policy("b.test") is not None
        clock.now_ms += 299_000


async def test_a_domain_without_a_record_is_not_fetched() -> None:
    domain = FakeDomain(texts=())
    assert await policies(domain, FakeClock()).policy("b.test") is None
    assert domain.asked == ["_mta-sts.b.test"]
