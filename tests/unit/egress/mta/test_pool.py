"""Connections are reused, bounded, and not asked of a site that is down."""

import asyncio
from dataclasses import dataclass, field

import pytest

from egress.mta.config import MtaConfig, Timeouts
from egress.mta.errors import RouteError
from egress.mta.pool import Pool
from egress.mta.site import Hop, Site
from egress.mta.smtp import Connection
from egress.mta.wire import Wire
from tests.unit.egress.mta.turns import turn

SITE = Site((Hop("mx.b.test", "192.0.2.1"),), "none")
OTHER = Site((Hop("mx.c.test", "192.0.2.2"),), "none")


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
        return Connection(wire, site.hops[0], Timeouts())


@dataclass
class FakeClock:
    """Milliseconds that a test moves."""

    now_ms: int = 0

    def __call__(self) -> int:
        return self.now_ms


def config(
    *, connections: int = 2, mails: int = 100, idle_ms: int = 60_000, max_idle: int = 500, wait_ms: int = 60_000
) -> MtaConfig:
    return MtaConfig(
        "out.hermes.test",
        connections_per_host=connections,
        max_messages_per_connection=mails,
        idle_ms=idle_ms,
        max_idle_connections=max_idle,
        wait_for_connection_ms=wait_ms,
    )


async def test_a_connection_is_used_again() -> None:
    dialer = FakeDialer()
    pool = Pool(config(), dialer.dial, FakeClock())

    async with pool.lease(SITE) as first:
        pass
    async with pool.lease(SITE) as second:
        pass

    assert first is second
    assert (dialer.calls, pool.open_connections) == (1, 1)
    pool.close_idle()


async def test_another_site_and_a_fresh_lease_get_their_own() -> None:
    dialer = FakeDialer()
    pool = Pool(config(), dialer.dial, FakeClock())

    for site, fresh in ((SITE, False), (OTHER, False), (SITE, True)):
        async with pool.lease(site, fresh=fresh):
            pass

    assert dialer.calls == 3
    pool.close_idle()
    assert pool.open_connections == 0
    assert all(transport.written == b"QUIT\r\n" for transport in dialer.transports)


async def test_no_more_connections_than_allowed_are_open_to_a_site() -> None:
    dialer = FakeDialer()
    pool = Pool(config(connections=2), dialer.dial, FakeClock())
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
    pool = Pool(config(connections=1, wait_ms=1), FakeDialer().dial, FakeClock())

    async with pool.lease(SITE):
        with pytest.raises(RouteError) as caught:
            async with pool.lease(SITE):
                pass

    assert (caught.value.code, caught.value.permanent) == ("4.4.5", False)
    pool.close_idle()


async def test_worn_unusable_spoken_to_and_closed_connections_are_not_used_again() -> None:
    dialer = FakeDialer()
    pool = Pool(config(mails=1), dialer.dial, FakeClock())

    async with pool.lease(SITE) as worn:
        worn.mails = 1
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
    pool = Pool(config(), dialer.dial, FakeClock())

    with pytest.raises(KeyError):
        async with pool.lease(SITE):
            raise KeyError

    assert dialer.transports[0].closed
    assert pool.open_connections == 0


async def test_idle_connections_end_after_a_while_and_are_bounded_in_number() -> None:
    dialer = FakeDialer()
    pool = Pool(config(idle_ms=1, max_idle=1), dialer.dial, FakeClock())

    async with pool.lease(SITE), pool.lease(OTHER):
        pass
    assert pool.open_connections == 1
    async with asyncio.timeout(5):
        await asyncio.gather(*(transport.gone.wait() for transport in dialer.transports))

    assert pool.open_connections == 0
    assert all(transport.closed for transport in dialer.transports)


async def test_a_site_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    dialer, clock = FakeDialer(refuse=True), FakeClock()
    pool = Pool(config(), dialer.dial, clock)

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
    pool = Pool(config(), dialer.dial, FakeClock())
    pool.close_idle()

    with pytest.raises(RouteError) as caught:
        async with pool.lease(SITE):
            pass

    assert (caught.value.code, caught.value.permanent, dialer.calls) == ("4.3.2", False, 0)
