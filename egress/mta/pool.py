"""Connections to sites: reused, bounded for each site, closed when idle or worn, and withheld from a site that is down."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from egress.mta.config import MtaConfig
from egress.mta.errors import RouteError
from egress.mta.site import Site
from egress.mta.smtp import Connection

MAX_SITES = 10_000  # remembered; one in use is never forgotten

BUSY, DOWN, CLOSING = "4.4.5", "4.4.1", "4.3.2"


@dataclass(slots=True)
class _Idle:
    connection: Connection
    expiry: asyncio.TimerHandle


@dataclass(slots=True)
class _Berth:
    """What the pool knows of one site."""

    free: asyncio.Semaphore
    idle: deque[_Idle] = field(default_factory=deque)
    users: int = 0
    failures: int = 0
    paused_until_ms: int = 0


class Pool:
    """Lends connections; `dial` opens one and raises RouteError."""

    def __init__(
        self, config: MtaConfig, dial: Callable[[Site], Awaitable[Connection]], clock_ms: Callable[[], int]
    ) -> None:
        self._config = config
        self._dial = dial
        self._clock_ms = clock_ms
        self._berths: dict[Site, _Berth] = {}
        self._lent: set[Connection] = set()
        self._idle = 0
        self._closed = False

    @property
    def open_connections(self) -> int:
        """Connections lent or idle."""
        return len(self._lent) + self._idle

    @asynccontextmanager
    async def lease(self, site: Site, *, fresh: bool = False) -> AsyncIterator[Connection]:
        """A connection to `site` for one mail, new when `fresh`; afterwards it is kept when it is still usable.

        Raises RouteError: from dialling, 4.4.5 when no connection came free in time, 4.4.1 while the site is paused.
        """
        berth = self._berth(site)
        berth.users += 1
        try:
            await self._slot(berth)
            try:
                connection = await self._connection(site, berth, fresh=fresh)
                whole = False
                try:
                    yield connection
                    whole = True
                finally:
                    # Left half-way, by cancelling, nobody knows where the session stands.
                    connection.usable = connection.usable and whole
                    self._give_back(site, berth, connection)
            finally:
                berth.free.release()
        finally:
            berth.users -= 1
            self._forget(site, berth)

    def close_idle(self) -> None:
        """Lend no more and close what is idle."""
        self._closed = True
        for berth in self._berths.values():
            while berth.idle:
                _close(berth.idle.pop())
                self._idle -= 1
        self._berths = {site: berth for site, berth in self._berths.items() if berth.users}

    def abort_lent(self) -> None:
        """Cut the connections that are still at work."""
        for connection in self._lent:
            connection.abort()

    def _berth(self, site: Site) -> _Berth:
        berth = self._berths.get(site)
        if berth is None:
            if len(self._berths) >= MAX_SITES:
                self._berths = {site: berth for site, berth in self._berths.items() if berth.users or berth.idle}
            berth = self._berths[site] = _Berth(asyncio.Semaphore(self._config.connections_per_host))
        return berth

    async def _slot(self, berth: _Berth) -> None:
        try:
            async with asyncio.timeout(self._config.wait_for_connection_ms / 1_000):
                await berth.free.acquire()
        except TimeoutError as error:
            raise RouteError(BUSY, "no connection came free in time", permanent=False) from error

    async def _connection(self, site: Site, berth: _Berth, *, fresh: bool) -> Connection:
        while berth.idle and not fresh:
            idle = berth.idle.pop()  # the last used is the least likely to have been closed
            self._idle -= 1
            if idle.connection.fresh_enough and not self._closed:
                idle.expiry.cancel()
                self._lent.add(idle.connection)
                return idle.connection
            _close(idle)
        wait_ms = berth.paused_until_ms - self._clock_ms()
        if self._closed:
            raise RouteError(CLOSING, "shutting down", permanent=False)
        if wait_ms > 0:
            raise RouteError(DOWN, "every host failed repeatedly", permanent=False, retry_after_ms=wait_ms)
        try:
            connection = await self._dial(site)
        except RouteError:
            berth.failures += 1
            if berth.failures >= self._config.failures_before_pause:
                berth.paused_until_ms = self._clock_ms() + self._config.pause_ms
            raise
        berth.failures = 0
        self._lent.add(connection)
        return connection

    def _give_back(self, site: Site, berth: _Berth, connection: Connection) -> None:
        self._lent.discard(connection)
        if not connection.usable:
            connection.abort()
        elif (
            self._closed
            or connection.mails >= self._config.max_messages_per_connection
            or self._idle >= self._config.max_idle_connections
        ):
            connection.close()
        else:
            loop = asyncio.get_running_loop()
            expiry = loop.call_later(self._config.idle_ms / 1_000, self._expire, site, connection)
            berth.idle.append(_Idle(connection, expiry))
            self._idle += 1

    def _expire(self, site: Site, connection: Connection) -> None:
        berth = self._berths[site]
        for idle in list(berth.idle):
            if idle.connection is connection:
                berth.idle.remove(idle)
                self._idle -= 1
                _close(idle)
        self._forget(site, berth)

    def _forget(self, site: Site, berth: _Berth) -> None:
        """Drop what is known of a site that nobody uses, unless it is its pause or its failures."""
        if not berth.users and not berth.idle and not berth.failures:
            self._berths.pop(site, None)


def _close(idle: _Idle) -> None:
    idle.expiry.cancel()
    idle.connection.close()
