"""Which hosts take a domain's mail."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from egress.mta.errors import ConfigError, RouteError
from egress.mta.lookup import Answer, DnsError
from egress.mta.mx import MxResolver
from egress.mta.site import Hop
from tests.unit.egress.mta.turns import turn

MISSING = Answer((), 0, exists=False)
NONE = Answer((), 0)


@dataclass
class FakeDns:
    """Answers from two dicts and counts; a domain that is in neither does not exist, None is a time-out."""

    exchanges: Mapping[str, Answer | None] = field(default_factory=dict)
    hosts: Mapping[str, Answer | None] = field(default_factory=dict)
    asked: int = 0

    async def mx(self, domain: str) -> Answer:
        self.asked += 1
        await turn()
        return self._answer(self.exchanges.get(domain, NONE if domain in self.hosts else MISSING), domain)

    async def addresses(self, host: str) -> Answer:
        return self._answer(self.hosts.get(host, MISSING), host)

    def _answer(self, answer: Answer | None, name: str) -> Answer:
        if answer is None:
            raise DnsError(f"{name}: Timeout")
        return answer


@dataclass
class FakeClock:
    """Milliseconds that a test moves."""

    now_ms: int = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


def mx(*records: tuple[int, str], ttl_s: int = 600) -> Answer:
    return Answer(records, ttl_s)


def a(*addresses: str, ttl_s: int = 600) -> Answer:
    return Answer(tuple((6 if ":" in address else 4, address) for address in addresses), ttl_s)


def resolver(dns: FakeDns, clock: FakeClock | None = None, **overrides: str) -> MxResolver:
    named = {name.replace("_", "."): target for name, target in overrides.items()}
    return MxResolver(named, dns, clock or FakeClock(), own_name="out.hermes.test")


async def refusal(found: MxResolver, domain: str) -> tuple[str, bool]:
    with pytest.raises(RouteError) as caught:
        await found.hops(domain)
    return caught.value.code, caught.value.permanent


async def test_overrides_come_before_dns_and_the_star_is_for_every_other_domain() -> None:
    dns = FakeDns()
    found = MxResolver({"B.test": "127.0.0.1:2525", "*": "[::1]:26"}, dns, FakeClock())

    assert await found.hops("b.test") == (Hop("127.0.0.1", "127.0.0.1", 2525),)
    assert await found.hops("any.test") == (Hop("::1", "::1", 26),)
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

    assert await resolver(dns).hops("b.test") == (
        Hop("mx1.b.test", "8.8.8.8", 25, 10),
        Hop("mx1.b.test", "2001:4860:4860::8888", 25, 10),
        Hop("mx2.b.test", "9.9.9.9", 25, 20),
    )


async def test_a_domain_without_mx_is_its_own_host() -> None:
    dns = FakeDns(hosts={"b.test": a("8.8.8.8")})

    assert await resolver(dns).hops("b.test") == (Hop("b.test", "8.8.8.8"),)


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

    assert await resolver(dns).hops("b.test") == (Hop("mx.b.test", "8.8.8.8", 25, 5),)


@pytest.mark.parametrize(
    ("ttl_s", "kept_ms"), [(0, 60_000), (300, 300_000), (86_400, 3_600_000)], ids=["short", "in bounds", "long"]
)
async def test_answers_are_kept_for_their_time_to_live_within_bounds(ttl_s: int, kept_ms: int) -> None:
    dns, clock = (
        FakeDns({"b.test": mx((10, "mx.b.test"), ttl_s=ttl_s)}, {"mx.b.test": a("8.8.8.8", ttl_s=ttl_s)}),
        FakeClock(),
    )
    found = resolver(dns, clock)

    await found.hops("b.test")
    clock.now_ms += kept_ms - 1
    await found.hops("b.test")
    assert dns.asked == 1
    clock.now_ms += 1
    await found.hops("b.test")
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
    assert len(await found.hops("b.test")) == 1


async def test_many_who_ask_at_once_share_one_look_up() -> None:
    dns = FakeDns(hosts={"b.test": a("8.8.8.8")})
    found = resolver(dns)

    await asyncio.gather(*(found.hops("b.test") for _ in range(50)))

    assert dns.asked == 1
