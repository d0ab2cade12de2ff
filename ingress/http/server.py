"""Listens with the REST application: time limits for slow clients, TLS when it is given, a graceful end."""

import logging
import ssl
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from ingress.http.services import Meter

KEEPALIVE_TIMEOUT_S: Final = 75.0
SHUTDOWN_TIMEOUT_S: Final = 15.0
LINGERING_TIME_S: Final = 5.0
MAX_HEADERS: Final = 100
MAX_HEADER_OCTETS: Final = 8_190
BACKLOG: Final = 1_024


@dataclass(frozen=True, slots=True)
class Listening:
    """A gateway that takes requests on `port`."""

    runner: web.AppRunner
    port: int

    async def close(self) -> None:
        """Take no more requests, end those that run within SHUTDOWN_TIMEOUT_S, close."""
        await self.runner.cleanup()


async def listen(
    app: web.Application, meter: Meter, host: str, port: int, tls: ssl.SSLContext | None = None
) -> Listening:
    """Listen on `host` and `port`, 0 for a free one; OSError when the port is taken."""
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_logger(),
        handle_signals=False,
        keepalive_timeout=KEEPALIVE_TIMEOUT_S,
        lingering_time=LINGERING_TIME_S,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        max_headers=MAX_HEADERS,
        max_line_size=MAX_HEADER_OCTETS,
        max_field_size=MAX_HEADER_OCTETS,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls, backlog=BACKLOG).start()
    except OSError:
        await runner.cleanup()
        raise
    server = runner.server
    if server is not None:
        meter.watch_connections(lambda: len(server.connections))
    bound = runner.addresses[0][1]
    return Listening(runner, int(bound))


def _logger() -> logging.Logger:
    """What goes wrong below the application is logged, but for requests that are no HTTP: those are answered with 400.

    Their octets, which may hold a credential, would be in the record otherwise.
    """
    logger = logging.Logger("ingress.http.protocol")
    logger.parent = logging.getLogger()
    logger.addFilter(_is_ours)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
