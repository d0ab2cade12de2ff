"""Connections are reused, bounded, and not asked of a site that is down."""

import asyncio
from dataclasses import dataclass, field

import pytest

from egress.mta.config import MtaConfig, Timeouts
from egress.mta.errors import RouteError
from egress.mta.pool import Pool
from egress.mta.providers import Limits, Provider
from egress.mta.shaper import Shaper
from egress.mta.site import Site
from egress.mta.smtp import Connection
from egress.mta.wire import Wire
from tests.unit.egress.mta.clocks import FakeClock
from tests.unit.egress.mta.sites import site
from tests.unit.egress.mta.turns import turn

SITE = site("mx.b.test")
OTHER = site("mx.c.test")


class FakeTransport(asyncio.Transport):
    """Keeps what is written; closing is noticed by the protocol at once."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire
        self.written = b""
        self.closed = False
        self.gone = asyncio.Event()
        wire.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True
        self.gone.set()
        self._wire.connection_lost(None)

    def abort(self) -> None:
        self.close()


@dataclass
class FakeDialer:
    """Opens connections to nowhere and keeps their transports."""

    refuse: bool = False
    transports: list[FakeTransport] = field(default_factory=list)
    calls: int = 0

    async def dial(self, site: Site) -> Connection:
        self.calls += 1
        if self.refuse:
            raise RouteError("4.4.1", "connection refused", permanent=False)
        wire = Wire()
        self.transports.append(FakeTransport(wire))
        return Connection(wire, site.route.hops[0], Timeouts())


def config(
    *,
    idle_ms: int = 60_000,
    max_idle: int = 500,
    wait_ms: int = 60_000,
    waiting: int = 250,
    in_flight: int = 1_000,
) -> MtaConfig:
    return MtaConfig(
        "out.hermes.test",
        idle_ms=idle_ms,
        max_idle_connections=max_idle,
        wait_for_connection_ms=wait_ms,
        max_waiting_per_site=waiting,
        max_in_flight=in_flight,
    )


def pool_of(wanted: MtaConfig, dialer: FakeDialer, clock: FakeClock | None = None) -> Pool:
    now = clock or FakeClock()
    return Pool(wanted, dialer.dial, now, Shaper(now))


async def test_a_connection_is_used_again() -> None:
    dialer = FakeDialer()
    pool = pool_of(config(), dialer)

    async with pool.lease(SITE) as first:
        pass
    async with pool.lease(SITE) as second:
        pass

    assert first is second
    assert (dialer.calls, pool.open_connections) == (1, 1)
    pool.close_idle()


async def test_another_site_and_a_fresh_lease_get_their_own() -> None:
    dialer = FakeDialer()
    pool = pool_of(config(), dialer)

    for where, fresh in ((SITE, False), (OTHER, False), (SITE, True)):
        async with pool.lease(where, fresh=fresh):
            pass

    assert dialer.calls == 3
    pool.close_idle()
    assert pool.open_connections == 0
    assert all(transport.written == b"QUIT\r\n" for transport in dialer.transports)


async def test_no_more_connections_than_allowed_are_open_to_a_site() -> None:
    dialer = FakeDialer()
    pool = pool_of(config(), dialer)
    most = 0

    async def use() -> None:
        nonlocal most
        async with pool.lease(SITE):
            most = max(most, pool.open_connections)
            await turn()

    await asyncio.gather(*(use() for _ in range(20)))

    assert (most, dialer.calls) == (2, 2)
    pool.close_idle()


async def test_who_waits_too_long_for_a_connection_is_told_to_come_back() -> None:
    pool = pool_of(config(wait_ms=1), FakeDialer())
    narrow = site("mx.b.test", connections=1)

    async with pool.lease(narrow):
        with pytest.raises(RouteError) as caught:
            async with pool.lease(narrow):
                pass

    assert (caught.value.code, caught.value.permanent) == ("4.4.5", False)
    pool.close_idle()


async def test_worn_unusable_spoken_to_and_closed_connections_are_not_used_again() -> None:
    dialer = FakeDialer()
    pool = pool_of(config(), dialer)

    async with pool.lease(SITE) as worn:
        worn.mails = SITE.limits.mails_per_connection
    async with pool.lease(SITE) as unusable:
        unusable.usable = False
    async with pool.lease(SITE):
        pass
    dialer.transports[-1]._wire.data_received(b"421 4.4.2 idle too long\r\n")
    async with pool.lease(SITE):
        pass
    dialer.transports[-1].close()
    async with pool.lease(SITE):
        pass

    assert dialer.calls == 5
    pool.close_idle()


async def test_a_lease_left_by_an_error_closes_its_connection() -> None:
    dialer = FakeDialer()
    pool = pool_of(config(), dialer)

    with pytest.raises(KeyError):
        async with pool.lease(SITE):
            raise KeyError

    assert dialer.transports[0].closed
    assert pool.open_connections == 0


async def test_idle_connections_end_after_a_while_and_are_bounded_in_number() -> None:
    dialer = FakeDialer()
    pool = pool_of(config(idle_ms=1, max_idle=1), dialer)

    async with pool.lease(SITE), pool.lease(OTHER):
        pass
    assert pool.open_connections == 1
    async with asyncio.timeout(5):
        await asyncio.gather(*(transport.gone.wait() for transport in dialer.transports))

    assert pool.open_connections == 0
    assert all(transport.closed for transport in dialer.transports)


async def test_a_site_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    dialer, clock = FakeDialer(refuse=True), FakeClock()
    pool = pool_of(config(), dialer, clock)

    async def fail() -> RouteError:
        with pytest.raises(RouteError) as caught:
            async with pool.lease(SITE):
                pass
        return caught.value

    for _ in range(10):
        assert (await fail()).retry_after_ms == 0
    paused = await fail()
    assert (paused.code, paused.retry_after_ms, dialer.calls) == ("4.4.1", 10_000, 10)

    clock.now_ms += 10_000
    dialer.refuse = False
    async with pool.lease(SITE):
        pass
    assert dialer.calls == 11
    pool.close_idle()


async def test_a_closed_pool_lends_nothing() -> None:
    dialer = FakeDialer()
    pool = pool_of(config(), dialer)
    pool.close_idle()

    with pytest.raises(RouteError) as caught:
        async with pool.lease(SITE):
            pass

    assert (caught.value.code, caught.value.permanent, dialer.calls) == ("4.3.2", False, 0)


async def test_hosts_of_one_provider_share_its_connections_and_an_idle_one_makes_room() -> None:
    provider = Provider("big", (".big.test",), Limits(1, 100))
    ours, theirs = (site(f"mx{n}.big.test", connections=1, provider=provider) for n in (1, 2))
    dialer = FakeDialer()
    pool = pool_of(config(), dialer)

    async with pool.lease(ours):
        pass
    async with pool.lease(theirs):
        assert pool.open_connections == 1

    assert dialer.transports[0].closed
    assert dialer.calls == 2
    pool.close_idle()


async def test_connections_beyond_what_is_allowed_now_are_not_kept() -> None:
    clock = FakeClock()
    shaper, dialer = Shaper(clock), FakeDialer()
    pool = Pool(config(), dialer.dial, clock, shaper)

    async with pool.lease(SITE):
        async with pool.lease(SITE):
            shaper.pushed_back(SITE.group, SITE.limits)
        assert pool.open_connections == 1

    assert [transport.closed for transport in dialer.transports] == [False, True]
    pool.close_idle()


async def test_a_group_with_more_than_its_share_leaves_the_last_room_to_others() -> None:
    pool = pool_of(config(waiting=1, in_flight=4), FakeDialer())
    narrow = site("mx.b.test", connections=1)

    async def use(where: Site) -> None:
        async with pool.lease(where):
            await turn()

    async with pool.lease(narrow):
        waiting = [asyncio.create_task(use(narrow)) for _ in range(2)]
        await turn()
        with pytest.raises(RouteError) as caught:
            await use(narrow)
        await use(OTHER)
    await asyncio.gather(*waiting)

    assert caught.value.code == "4.4.5"
    pool.close_idle()


async def test_who_waits_for_the_rate_is_sent_home_when_the_pool_closes() -> None:
    slow = site("mx.b.test", per_minute=1)
    pool = pool_of(config(), FakeDialer())

    async def use() -> None:
        async with pool.lease(slow):
            pass

    await use()
    waiting = asyncio.create_task(use())
    await turn()
    pool.close_idle()
    with pytest.raises(RouteError) as caught:
        await waiting

    assert caught.value.code == "4.3.2"


async def test_a_group_suspended_meanwhile_gets_nothing_more() -> None:
    clock = FakeClock()
    shaper = Shaper(clock)
    pool = Pool(config(), FakeDialer().dial, clock, shaper)
    for _ in range(5):
        shaper.heard(SITE.group, SITE.limits, "", "acme", "554 5.7.1 see https://www.spamhaus.org/query")

    with pytest.raises(RouteError) as caught:
        async with pool.lease(SITE):
            pass

    assert (caught.value.code, caught.value.retry_after_ms) == ("4.7.0", 3_600_000)
