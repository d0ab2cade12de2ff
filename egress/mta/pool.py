"""Connections: reused, bounded for each group of hosts, closed when idle or worn, and withheld from hosts that are down."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from egress.mta.config import MtaConfig
from egress.mta.errors import RouteError
from egress.mta.gate import Gate
from egress.mta.shaper import BUSY, Group, Shaper
from egress.mta.site import Site
from egress.mta.smtp import Connection

MAX_GROUPS = 10_000  # remembered; one in use is never forgotten

DOWN, CLOSING = "4.4.1", "4.3.2"


@dataclass(slots=True)
class _Idle:
    site: Site
    connection: Connection
    expiry: asyncio.TimerHandle


@dataclass(slots=True)
class _Berth:
    """What the pool knows of one group of hosts, as seen from one source."""

    gate: Gate
    idle: deque[_Idle] = field(default_factory=deque)
    users: int = 0
    lent: int = 0
    failures: int = 0
    paused_until_ms: int = 0


class Pool:
    """Lends connections; `dial` opens one and raises RouteError, `shaper` says how many there may be."""

    def __init__(
        self,
        config: MtaConfig,
        dial: Callable[[Site], Awaitable[Connection]],
        clock_ms: Callable[[], int],
        shaper: Shaper,
    ) -> None:
        self._config = config
        self._dial = dial
        self._clock_ms = clock_ms
        self._shaper = shaper
        self._berths: dict[Group, _Berth] = {}
        self._lent: set[Connection] = set()
        self._idle = 0
        self._users = 0
        self._closing = asyncio.Event()

    @property
    def open_connections(self) -> int:
        """Connections lent or idle."""
        return len(self._lent) + self._idle

    @asynccontextmanager
    async def lease(self, site: Site, tenant: str = "", *, fresh: bool = False) -> AsyncIterator[Connection]:
        """A connection to `site` for one mail, new when `fresh`; afterwards it is kept when it is still usable.

        Tenants take turns when many wait. Raises RouteError: from dialling, 4.4.5 when the rate or the connections are used up
        or too many wait already, 4.4.1 while the group is paused, 4.7.0 while it is suspended, 4.3.2 when closed.
        """
        self._shaper.check(site.group, tenant)
        berth = self._berth(site)
        berth.users += 1
        self._users += 1
        try:
            if not fresh:
                self._check_room(site, berth)
                await self._in_turn(site)
            await self._slot(site, berth, tenant)
            try:
                connection = await self._connection(site, berth, tenant, fresh=fresh)
                whole = False
                try:
                    yield connection
                    whole = True
                finally:
                    # Left half-way, by cancelling, nobody knows where the session stands.
                    connection.usable = connection.usable and whole
                    self._give_back(site, berth, connection)
            finally:
                berth.gate.leave()
        finally:
            berth.users -= 1
            self._users -= 1
            self._forget(site, berth)

    def close_idle(self) -> None:
        """Lend no more and close what is idle."""
        self._closing.set()
        for berth in self._berths.values():
            while berth.idle:
                self._drop(berth.idle.pop())
        self._berths = {group: berth for group, berth in self._berths.items() if berth.users}

    def abort_lent(self) -> None:
        """Cut the connections that are still at work."""
        for connection in self._lent:
            connection.abort()

    def _berth(self, site: Site) -> _Berth:
        berth = self._berths.get(site.group)
        if berth is None:
            if len(self._berths) >= MAX_GROUPS:
                self._berths = {group: berth for group, berth in self._berths.items() if berth.users or berth.idle}
            berth = self._berths[site.group] = _Berth(Gate(site.limits.connections))
        return berth

    def _check_room(self, site: Site, berth: _Berth) -> None:
        """Keep room for others: a group with more than its share gets no more of what is left when that is little."""
        share = site.limits.connections + self._config.max_waiting_per_site
        little = self._users * 4 > self._config.max_in_flight * 3
        if berth.users > share and little and not site.route.fixed:
            raise RouteError(BUSY, "too many mails wait for these hosts", permanent=False)

    async def _in_turn(self, site: Site) -> None:
        """Wait for the mail's place in the rate of its group."""
        wait_ms = self._shaper.wait_ms(site.group, site.limits, self._config.wait_for_connection_ms)
        if not wait_ms:
            return
        try:
            async with asyncio.timeout(wait_ms / 1_000):
                await self._closing.wait()
        except TimeoutError:
            return
        raise RouteError(CLOSING, "shutting down", permanent=False)

    async def _slot(self, site: Site, berth: _Berth, tenant: str) -> None:
        berth.gate.set_limit(self._shaper.connections(site.group, site.limits))
        try:
            async with asyncio.timeout(self._config.wait_for_connection_ms / 1_000):
                await berth.gate.enter(tenant)
        except TimeoutError as error:
            raise RouteError(BUSY, "no connection came free in time", permanent=False) from error

    async def _connection(self, site: Site, berth: _Berth, tenant: str, *, fresh: bool) -> Connection:
        if self._closing.is_set():
            raise RouteError(CLOSING, "shutting down", permanent=False)
        self._shaper.check(site.group, tenant)  # it may have been suspended meanwhile
        found = None if fresh else self._reusable(site, berth)
        if found is not None:
            self._lend(berth, found)
            return found
        wait_ms = berth.paused_until_ms - self._clock_ms()
        if wait_ms > 0:
            raise RouteError(DOWN, "every host failed repeatedly", permanent=False, retry_after_ms=wait_ms)
        while berth.idle and berth.lent + len(berth.idle) >= self._shaper.connections(site.group, site.limits):
            self._drop(berth.idle.popleft())  # an idle one counts at the provider, too
        try:
            connection = await self._dial(site)
        except RouteError:
            berth.failures += 1
            if berth.failures >= self._config.failures_before_pause:
                berth.paused_until_ms = self._clock_ms() + self._config.pause_ms
            raise
        berth.failures = 0
        self._lend(berth, connection)
        return connection

    def _lend(self, berth: _Berth, connection: Connection) -> None:
        self._lent.add(connection)
        berth.lent += 1

    def _reusable(self, site: Site, berth: _Berth) -> Connection | None:
        """The idle connection to the site that was used last: it is the least likely to have been closed."""
        for idle in reversed(tuple(berth.idle)):
            if idle.site.key == site.key:
                berth.idle.remove(idle)
                if idle.connection.fresh_enough:
                    self._idle -= 1
                    idle.expiry.cancel()
                    return idle.connection
                self._drop(idle)
        return None

    def _give_back(self, site: Site, berth: _Berth, connection: Connection) -> None:
        self._lent.discard(connection)
        berth.lent -= 1
        allowed = self._shaper.connections(site.group, site.limits)
        berth.gate.set_limit(allowed)
        if not connection.usable:
            connection.abort()
        elif (
            self._closing.is_set()
            or connection.mails >= self._shaper.mails_per_connection(site.group, site.limits)
            or self._idle >= self._config.max_idle_connections
            or berth.lent + len(berth.idle) >= allowed
        ):
            connection.close()
        else:
            loop = asyncio.get_running_loop()
            expiry = loop.call_later(self._config.idle_ms / 1_000, self._expire, site, connection)
            berth.idle.append(_Idle(site, connection, expiry))
            self._idle += 1

    def _expire(self, site: Site, connection: Connection) -> None:
        berth = self._berths[site.group]
        for idle in tuple(berth.idle):
            if idle.connection is connection:
                berth.idle.remove(idle)
                self._drop(idle)
        self._forget(site, berth)

    def _drop(self, idle: _Idle) -> None:
        """Close a connection that is taken from the idle ones."""
        self._idle -= 1
        idle.expiry.cancel()
        idle.connection.close()

    def _forget(self, site: Site, berth: _Berth) -> None:
        """Drop what is known of a group that nobody uses, unless it is its pause or its failures."""
        if not berth.users and not berth.idle and not berth.failures:
            self._berths.pop(site.group, None)
