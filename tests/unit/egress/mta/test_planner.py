"""By which route, from which source, with how much TLS."""

import pytest

from egress.mta.config import MtaConfig
from egress.mta.errors import RouteError
from egress.mta.lookup import Answer
from egress.mta.mx import MxResolver
from egress.mta.planner import Planner
from egress.mta.posture import Posture
from egress.mta.providers import Limits
from egress.mta.shaper import Shaper
from egress.mta.site import Site
from egress.mta.sources import Source
from egress.mta.sts import StsMode
from egress.mta.sts_cache import StsPolicies
from egress.mta.tls_report import TlsReport
from tests.unit.egress.mta.clocks import FakeClock
from tests.unit.egress.mta.fake_dns import FakeDns, a, mx

SOURCES = (Source("one", "one.test", "192.0.2.1"), Source("two", "two.test", "192.0.2.2"))


def policies(clock: FakeClock, mode: StsMode = "enforce") -> StsPolicies:
    async def txt(name: str) -> tuple[bytes, ...]:
        return (b"v=STSv1; id=1",) if name == "_mta-sts.b.test" else ()

    async def fetch(_domain: str) -> bytes:
        return f"version: STSv1\nmode: {mode}\nmx: mx.b.test\nmax_age: 86400".encode()

    return StsPolicies(txt, fetch, clock, TlsReport())


def planner(config: MtaConfig, *, mode: StsMode = "enforce", proved: bool = False) -> Planner:
    clock = FakeClock()
    dns = FakeDns(
        {
            "b.test": Answer(((10, "mx.b.test"),), 600, proved=proved),
            "c.test": mx((10, "mx.c.test")),
            "g.test": mx((10, "aspmx.l.google.com")),
        },
        dict.fromkeys(("mx.b.test", "mx.c.test", "aspmx.l.google.com"), a("8.8.8.8")),
    )
    resolver = MxResolver(config.mx_overrides, dns, clock)
    return Planner(config, resolver, Shaper(clock), policies(clock, mode))


async def planned(config: MtaConfig, domain: str = "b.test", key: str = "msg-1") -> Site:
    return await planner(config).site(domain, key)


async def test_a_domains_own_policy_counts_unless_the_configuration_names_it() -> None:
    assert (await planned(MtaConfig("h.test"))).posture.policy_type == "sts"
    assert (await planned(MtaConfig("h.test"), "c.test")).posture == Posture()
    assert (await planned(MtaConfig("h.test", tls={"b.test": "none"}))).posture == Posture("none", told=True)
    assert (await planned(MtaConfig("h.test", mx_overrides={"*": "127.0.0.1:25"}))).posture == Posture()


async def test_limits_are_the_providers_or_ours_and_an_override_has_no_rate() -> None:
    config = MtaConfig("h.test", connections_per_host=7, messages_per_s=2)
    assert (await planned(config)).limits == Limits(7, 100, 120)
    assert (await planned(config, "g.test")).limits == Limits(5, 50)
    fixed = MtaConfig("h.test", mx_overrides={"*": "127.0.0.1:25"}, connections_per_host=7)
    assert (await planned(fixed)).limits == Limits(7, 100, 0)


async def test_a_message_leaves_from_its_source_until_that_is_suspended_there() -> None:
    plan = planner(MtaConfig("h.test", sources=SOURCES))
    first = await plan.site("b.test", "msg-1")
    assert (await plan.site("b.test", "msg-1")).source == first.source

    for _ in range(5):
        plan.shaper.heard(first.group, first.limits, "", "acme", "554 listed at spamhaus")

    assert (await plan.site("b.test", "msg-1")).source != first.source
    assert (await plan.site("c.test", "msg-1")).source == first.source


async def test_requiretls_wants_hosts_that_are_proved() -> None:
    config = MtaConfig("h.test")
    assert (await planner(config).site("b.test", "m", require_tls=True)).posture.require
    assert (await planner(config, mode="testing", proved=True).site("b.test", "m", require_tls=True)).posture.require
    for plan, domain in ((planner(config, mode="testing"), "b.test"), (planner(config), "c.test")):
        with pytest.raises(RouteError) as caught:
            await plan.site(domain, "m", require_tls=True)
        assert (caught.value.code, caught.value.permanent) == ("5.7.10", True)


async def test_who_would_rather_have_it_delivered_is_not_held_to_policies() -> None:
    site = await planner(MtaConfig("h.test")).site("b.test", "m", tls_optional=True)
    assert site.posture == Posture(told=True)
