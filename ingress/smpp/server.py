"""The SMPP server of a gateway: listens, keeps the sessions' time, and brings receipts."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from domain.cascade.commands import StatusChanged
from domain.errors import TransientError
from domain.ports import ConfigView, Desk
from ingress.smpp.binding import Gatekeeper, Resolve
from ingress.smpp.binds import Binds
from ingress.smpp.joining import Joiner
from ingress.smpp.meter import SilentMeter, SmppMeter
from ingress.smpp.part_store import PartStore
from ingress.smpp.pump import ReceiptPump
from ingress.smpp.queries import Queries
from ingress.smpp.receipt_store import ReceiptStore
from ingress.smpp.receipts import settle
from ingress.smpp.recent import Recent
from ingress.smpp.registrar import Registrar
from ingress.smpp.requests import Requests
from ingress.smpp.session import Session
from ingress.smpp.settings import SmppServerSettings
from ingress.smpp.shared import Shared
from ingress.smpp.submit import Submitter
from ingress.smpp.tasks import Tasks
from ingress.smpp.tls import server_context
from schemas.codec import Codec

FINISH_TIMEOUT_MS = 6_000
"""For what tasks still have to do when every session is gone: longer than the pump's last word to the store."""


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the server listens; `tls` is zero without TLS."""

    plain: int
    tls: int


@dataclass(slots=True)
class _Running:
    """What exists while the server runs."""

    shared: Shared
    joiner: Joiner
    servers: list[asyncio.Server] = field(default_factory=list)


class SmppServer:
    """One for a process. `resolve` gives the key of a system_id and password; `clock` is ms since 1970, `new_id` a UUIDv7."""

    def __init__(
        self,
        settings: SmppServerSettings,
        desk: Desk,
        resolve: Resolve,
        config: ConfigView,
        receipts: ReceiptStore,
        parts: PartStore,
        codec: Codec,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        meter: SmppMeter | None = None,
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._resolve = resolve
        self._config = config
        self._receipts = receipts
        self._parts = parts
        self._codec = codec
        self._clock = clock
        self._new_id = new_id
        self._meter = meter or SilentMeter()
        self._running: _Running | None = None

    @property
    def bound(self) -> int:
        """How many sessions are bound."""
        return self._running.shared.binds.bound if self._running is not None else 0

    async def start(self) -> Ports:
        """Listen. OSError when a port is taken, ConfigError for certificates that cannot be used."""
        settings = self._settings
        tls = server_context(settings.tls) if settings.tls is not None else None
        running = self._assemble()
        self._running = running
        loop = asyncio.get_running_loop()
        try:
            plain = await loop.create_server(
                lambda: Session(running.shared).connection, settings.host, settings.port, backlog=settings.backlog
            )
            running.servers.append(plain)
            if tls is not None and settings.tls is not None:
                secure = await loop.create_server(
                    lambda: Session(running.shared).connection,
                    settings.host,
                    settings.tls.port,
                    ssl=tls,
                    backlog=settings.backlog,
                    ssl_handshake_timeout=settings.handshake_timeout_ms / 1000,
                    ssl_shutdown_timeout=settings.unbind_timeout_ms / 1000,
                )
                running.servers.append(secure)
        except OSError:
            await self.stop(0)
            raise
        running.shared.tasks.spawn(running.shared.pump.run())
        running.shared.tasks.spawn(self._keep_time(running.shared))
        running.shared.tasks.spawn(self._expire_parts(running))
        ports = [server.sockets[0].getsockname()[1] for server in running.servers]
        return Ports(ports[0], ports[1] if len(ports) > 1 else 0)

    async def failed(self) -> BaseException:
        """Returns with the exception when a task of the server has died: the process is to be started anew."""
        if self._running is None:
            raise RuntimeError("the server has not been started")
        return await asyncio.shield(self._running.shared.tasks.failure)

    async def receipts(self, changes: Sequence[StatusChanged]) -> None:
        """Make the receipts of these changes due, and send them to who is bound here. TransientError from the store."""
        if await settle(self._receipts, changes, self._codec) and self._running is not None:
            self._running.shared.pump.wake()

    async def stop(self, grace_ms: int) -> None:
        """Take nobody in any more, answer what is at work, unbind everybody; after `grace_ms` hang up."""
        running, self._running = self._running, None
        if running is None:
            return
        shared = running.shared
        for server in running.servers:
            server.close()
        for session in tuple(shared.sessions):
            session.unbind()
        if shared.sessions:
            with contextlib.suppress(TimeoutError):  # who has not gone by then is hung up on
                async with asyncio.timeout(grace_ms / 1000):
                    await shared.emptied.wait()
        for session in tuple(shared.sessions):
            session.connection.abort()
        await asyncio.sleep(0)
        shared.pump.stop()
        shared.stopping.set()
        await shared.tasks.finish(FINISH_TIMEOUT_MS)

    def _assemble(self) -> _Running:
        settings, loop = self._settings, asyncio.get_running_loop()

        def now_ms() -> int:
            return int(loop.time() * 1000)

        tasks = Tasks()
        binds = Binds(settings, now_ms)
        recent = Recent(now_ms)
        registrar = Registrar(self._receipts, tasks)
        submitter = Submitter(settings, self._desk, self._config, registrar, recent, self._clock, self._new_id)
        joiner = Joiner(settings, self._parts, self._receipts, submitter, self._clock)
        shared = Shared(
            settings,
            binds,
            Gatekeeper(settings, self._resolve, self._config, binds, self._clock),
            Requests(submitter, joiner, Queries(self._desk, recent, settings.answer_timeout_ms)),
            ReceiptPump(self._receipts, binds, settings, self._clock, self._meter),
            tasks,
            self._meter,
        )
        return _Running(shared, joiner)

    async def _keep_time(self, shared: Shared) -> None:
        """Look after every session each tick: one timer for all of them."""
        loop = asyncio.get_running_loop()
        while not shared.stopping.is_set():
            now_ms = int(loop.time() * 1000)
            for session in tuple(shared.sessions):
                session.tick(now_ms)
            await _sleep(shared, self._settings.tick_ms)

    async def _expire_parts(self, running: _Running) -> None:
        """Give up long messages whose parts did not all come."""
        while not running.shared.stopping.is_set():
            try:
                expired = await running.joiner.expire()
            except TransientError as error:
                log.warning("parts_store_away", reason=str(error))
            else:
                if expired:
                    log.info("parts_expired", messages=expired)
                    running.shared.pump.wake()
            await _sleep(running.shared, self._settings.expire_every_ms)


async def _sleep(shared: Shared, timeout_ms: int) -> None:
    """For this long, or until the server stops."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_ms / 1000):
            await shared.stopping.wait()
