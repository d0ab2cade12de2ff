"""Which hosts take a domain's mail."""

import asyncio

import pytest

from egress.mta.dane import Tlsa
from egress.mta.errors import ConfigError, RouteError
from egress.mta.lookup import Answer
from egress.mta.mx import MxResolver
from egress.mta.site import Hop
from tests.unit.egress.mta.clocks import FakeClock
from tests.unit.egress.mta.fake_dns import NONE, FakeDns, a, mx


def resolver(dns: FakeDns, clock: FakeClock | None = None, **overrides: str) -> MxResolver:
    named = {name.replace("_", "."): target for name, target in overrides.items()}
    return MxResolver(named, dns, clock or FakeClock(), own_name="out.hermes.test")


async def refusal(found: MxResolver, domain: str) -> tuple[str, bool]:
    with pytest.raises(RouteError) as caught:
        await found.route(domain)
    return caught.value.code, caught.value.permanent


async def test_overrides_come_before_dns_and_the_star_is_for_every_other_domain() -> None:
    dns = FakeDns()
    found = MxResolver({"B.test": "127.0.0.1:2525", "*": "[::1]:26"}, dns, FakeClock())

    assert (await found.route("b.test")).hops == (Hop("127.0.0.1", "127.0.0.1", 2525),)
    assert (await found.route("any.test")).hops == (Hop("::1", "::1", 26),)
    assert dns.asked == 0


@pytest.mark.parametrize("target", ["", "host", "host:", ":25", "host:0", "host:65536", "host:x", "a b:25", "[::1]"])
def test_an_override_without_host_and_port_is_a_configuration_error(target: str) -> None:
    with pytest.raises(ConfigError):
        MxResolver({"*": target}, FakeDns(), FakeClock())


async def test_hosts_come_by_preference_with_all_their_addresses() -> None:
    dns = FakeDns(
        {"b.test": mx((20, "mx2.b.test"), (10, "mx1.b.test"))},
        {"mx1.b.test": a("8.8.8.8", "2001:4860:4860::8888"), "mx2.b.test": a("9.9.9.9")},
    )

    assert (await resolver(dns).route("b.test")).hops == (
        Hop("mx1.b.test", "8.8.8.8", 25, 10),
        Hop("mx1.b.test", "2001:4860:4860::8888", 25, 10),
        Hop("mx2.b.test", "9.9.9.9", 25, 20),
    )


async def test_a_domain_without_mx_is_its_own_host() -> None:
    dns = FakeDns(hosts={"b.test": a("8.8.8.8")})

    assert (await resolver(dns).route("b.test")).hops == (Hop("b.test", "8.8.8.8"),)


async def test_permanent_and_temporary_dead_ends_are_told_apart() -> None:
    dns = FakeDns(
        {
            "null.test": mx((0, ".")),
            "slow.test": None,
            "private.test": mx((10, "lan.test")),
            "loopback.test": mx((10, "lo.test")),
            "loop.test": mx((10, "out.hermes.test"), (20, "backup.test")),
            "empty.test": mx((10, "nowhere.test")),
            "slowhost.test": mx((10, "slow-mx.test"), (20, "nowhere.test")),
            "odd.test": mx((10, ".evil\n.test"), (10, "a" * 64)),
        },
        {
            "lan.test": a("192.168.1.1", "10.0.0.1"),
            "lo.test": a("127.0.0.1", "::1"),
            "slow-mx.test": None,
            "bare.test": NONE,
        },
    )
    found = resolver(dns)

    assert await refusal(found, "missing.test") == ("5.1.2", True)
    assert await refusal(found, "null.test") == ("5.1.10", True)
    assert await refusal(found, "slow.test") == ("4.4.3", False)
    assert await refusal(found, "private.test") == ("5.4.4", True)
    assert await refusal(found, "loopback.test") == ("5.4.4", True)
    assert await refusal(found, "loop.test") == ("5.4.6", True)
    assert await refusal(found, "empty.test") == ("5.4.4", True)
    assert await refusal(found, "slowhost.test") == ("4.4.3", False)
    assert await refusal(found, "odd.test") == ("5.4.4", True)
    assert await refusal(found, "bare.test") == ("5.4.4", True)


async def test_our_own_host_cuts_off_what_is_worse() -> None:
    dns = FakeDns(
        {"b.test": mx((5, "mx.b.test"), (10, "out.hermes.test"), (20, "late.b.test"))},
        {"mx.b.test": a("8.8.8.8"), "late.b.test": a("9.9.9.9")},
    )

    assert (await resolver(dns).route("b.test")).hops == (Hop("mx.b.test", "8.8.8.8", 25, 5),)


@pytest.mark.parametrize(
    ("ttl_s", "kept_ms"), [(0, 60_000), (300, 300_000), (86_400, 3_600_000)], ids=["short", "in bounds", "long"]
)
async def test_answers_are_kept_for_their_time_to_live_within_bounds(ttl_s: int, kept_ms: int) -> None:
    dns, clock = (
        FakeDns({"b.test": mx((10, "mx.b.test"), ttl_s=ttl_s)}, {"mx.b.test": a("8.8.8.8", ttl_s=ttl_s)}),
        FakeClock(),
    )
    found = resolver(dns, clock)

    await found.route("b.test")
    clock.now_ms += kept_ms - 1
    await found.route("b.test")
    assert dns.asked == 1
    clock.now_ms += 1
    await found.route("b.test")
    assert dns.asked == 2


async def test_failures_are_asked_again_soon() -> None:
    dns, clock = FakeDns({"b.test": None}), FakeClock()
    found = resolver(dns, clock)

    assert await refusal(found, "b.test") == ("4.4.3", False)
    assert await refusal(found, "b.test") == ("4.4.3", False)
    assert dns.asked == 1
    clock.now_ms += 15_000
    dns.exchanges = {"b.test": mx((10, "mx.b.test"))}
    dns.hosts = {"mx.b.test": a("8.8.8.8")}
    assert len((await found.route("b.test")).hops) == 1


async def test_many_who_ask_at_once_share_one_look_up() -> None:
    dns = FakeDns(hosts={"b.test": a("8.8.8.8")})
    found = resolver(dns)

    await asyncio.gather(*(found.route("b.test") for _ in range(50)))

    assert dns.asked == 1


async def test_domains_with_the_same_hosts_are_one_site_and_a_provider_is_known_by_its_hosts() -> None:
    dns = FakeDns(
        {
            "a.test": mx((10, "mx1.b.test"), (20, "mx2.b.test")),
            "b.test": mx((30, "mx2.b.test"), (10, "mx1.b.test")),
            "c.test": mx((1, "aspmx.l.google.com"), (5, "alt1.aspmx.l.google.com")),
            "d.test": mx((1, "gmail-smtp-in.l.google.com")),
            "mixed.test": mx((1, "aspmx.l.google.com"), (5, "mx1.b.test")),
        },
        dict.fromkeys(
            ("mx1.b.test", "mx2.b.test", "aspmx.l.google.com", "alt1.aspmx.l.google.com", "gmail-smtp-in.l.google.com"),
            a("8.8.8.8"),
        ),
    )
    found = resolver(dns)

    names = {domain: (await found.route(f"{domain}.test")).name for domain in "abcd"}
    groups = {domain: (await found.route(f"{domain}.test")).group for domain in ("c", "d", "mixed")}

    assert names["a"] == names["b"] == "mx1.b.test,mx2.b.test"
    assert names["c"] != names["d"]
    assert groups == {"c": "google", "d": "google", "mixed": "aspmx.l.google.com,mx1.b.test"}


async def test_private_hosts_are_for_those_who_allow_them() -> None:
    dns = FakeDns({"b.test": mx((10, "lan.test"))}, {"lan.test": a("192.168.1.1")})

    found = MxResolver({}, dns, FakeClock(), allow_private=True, port=2525)

    assert (await found.route("b.test")).hops == (Hop("lan.test", "192.168.1.1", 2525, 10),)


async def test_keys_of_hosts_count_only_when_dnssec_proves_their_names_and_addresses() -> None:
    key = Tlsa(3, 1, 1, bytes(32))
    proved = Answer(((4, "8.8.8.8"),), 600, proved=True)
    names = ("mx.proved.test", "mx.bare.test", "mx.bogus.test", "mx.ok.test")
    dns = FakeDns(
        {
            "proved.test": Answer(((10, "mx.proved.test"),), 600, proved=True),
            "unproved.test": mx((10, "mx.proved.test")),
            "bare.test": Answer(((10, "mx.bare.test"),), 600, proved=True),
            "bogus.test": Answer(((10, "mx.bogus.test"),), 600, proved=True),
            "half.test": Answer(((10, "mx.bogus.test"), (20, "mx.ok.test")), 600, proved=True),
        },
        dict.fromkeys(names, proved) | {"mx.bare.test": a("8.8.8.8")},
        keys=dict.fromkeys(names, (key,)),
        bogus=("mx.bogus.test",),
    )
    found = MxResolver({}, dns, FakeClock(), dane=True)

    tlsa = {domain: (await found.route(f"{domain}.test")).hops[0].tlsa for domain in ("proved", "unproved", "bare")}
    assert tlsa == {"proved": (key,), "unproved": None, "bare": None}
    assert await refusal(found, "bogus.test") == ("4.4.3", False)
    assert [hop.name for hop in (await found.route("half.test")).hops] == ["mx.ok.test"]
    assert (await MxResolver({}, dns, FakeClock()).route("proved.test")).hops[0].tlsa is None
