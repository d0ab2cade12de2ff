"""The SMTP server: listens with STARTTLS and with implicit TLS, and ends in good order."""

import asyncio
import logging
import ssl
import time
from typing import Final

from ingress.expiring import Expiring
from ingress.smtp.login import GUESSING_TTL_MS, MAX_REMEMBERED_CLIENTS, Login
from ingress.smtp.room import Doors, Room
from ingress.smtp.services import Services
from ingress.smtp.session import SmtpSession
from ingress.smtp.settings import SmtpServerSettings
from ingress.smtp.shared import Shared

BACKLOG: Final = 1_024
ABORT_MS: Final = 2_000


class SmtpServer:
    """Takes mail of tenants, and for their domains when `services.inbound` is given."""

    def __init__(self, settings: SmtpServerSettings, services: Services) -> None:
        if settings.tls_port is not None and settings.tls is None:
            raise ValueError("a port for implicit TLS needs a certificate")
        login = Login(services, settings, Expiring(MAX_REMEMBERED_CLIENTS, GUESSING_TTL_MS, _monotonic_ms))
        doors = Doors(settings.max_connections, settings.max_connections_per_client)
        self._shared = Shared(settings, services, login, Room(settings.max_buffered), doors)
        self._listening: list[asyncio.Server] = []

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return self._shared.doors.open

    async def start(self) -> tuple[int, ...]:
        """Listen; the port for STARTTLS, and behind it the one for implicit TLS if there is one. OSError when taken."""
        settings = self._shared.settings
        # aiosmtpd writes every line it handles to this log, credentials and bodies too.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self._shared.services.meter.watch_connections(lambda: self.connections)
        try:
            ports = [await self._listen(settings.port, None)]
            if settings.tls_port is not None:
                ports.append(await self._listen(settings.tls_port, settings.tls))
        except OSError:
            await self.stop(0)
            raise
        return tuple(ports)

    async def stop(self, grace_ms: int) -> None:
        """Take no more connections; idle sessions end with 421, others after the reply they owe, all within `grace_ms`."""
        for server in self._listening:
            server.close()
        self._listening.clear()
        await self._leave(at_once=False, wait_ms=grace_ms)
        await self._leave(at_once=True, wait_ms=ABORT_MS)

    async def _leave(self, *, at_once: bool, wait_ms: int) -> None:
        tasks = [session.task for session in self._shared.sessions()]
        for session in self._shared.sessions():
            session.leave(at_once=at_once)
        if tasks:
            await asyncio.wait(tasks, timeout=wait_ms / 1_000)

    async def _listen(self, port: int, tls: ssl.SSLContext | None) -> int:
        settings = self._shared.settings
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SmtpSession(self._shared, loop),
            settings.host,
            port,
            ssl=tls,
            ssl_handshake_timeout=settings.handshake_ms / 1_000 if tls else None,
            backlog=BACKLOG,
        )
        self._listening.append(server)
        return int(server.sockets[0].getsockname()[1])


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
