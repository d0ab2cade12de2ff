"""The world outside the product, in one thread of the test process: an SMSC, a mail host, a tenant's callback receiver."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import dns.message
import dns.rcode
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.integration.smsc import Smsc

T = TypeVar("T")

START_TIMEOUT_S = 10.0
WAIT_S = 20.0
POLL_S = 0.02

DECIMAL, HEXADECIMAL = "decimal-ids", "hexadecimal-ids"
PASSWORD = "outside1"
REFUSED_ONCE = "refused-once"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as the host took it."""

    sender: str
    recipients: tuple[str, ...]
    octets: bytes


@dataclass(frozen=True, slots=True)
class Callback:
    """A request that the receiver got."""

    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class MailHost:
    """Takes every mail but those to `bounced@`."""

    mails: list[Mail] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("bounced@"):
            return "550 5.1.1 There is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        octets = envelope.original_content or b""
        self.mails.append(Mail(envelope.mail_from or "", tuple(envelope.rcpt_tos), octets))
        return "250 2.0.0 Ok"


class NoNames(asyncio.DatagramProtocol):
    """A name server that knows no name (RFC 1035)."""

    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self.transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own is one without saying so

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """There is no such name."""
        answer = dns.message.make_response(dns.message.from_wire(data))
        answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), addr)


@dataclass(slots=True)
class Outside:
    """Everything that the product talks to, with the ports, and what each has seen.

    A callback whose body has REFUSED_ONCE in it is refused the first time.
    """

    smsc: Smsc = field(
        default_factory=lambda: Smsc({DECIMAL: PASSWORD, HEXADECIMAL: PASSWORD}, frozenset({HEXADECIMAL}))
    )
    mail: MailHost = field(default_factory=MailHost)
    callbacks: list[Callback] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    smsc_port: int = 0
    mail_port: int = 0
    callback_port: int = 0
    dns_port: int = 0

    async def start(self) -> web.AppRunner:
        """Listen everywhere."""
        loop = asyncio.get_running_loop()
        self.smsc_port = await self.smsc.start()
        host = await loop.create_server(lambda: SMTP(self.mail, hostname="mx.outside", loop=loop), "127.0.0.1", 0)
        self.mail_port = host.sockets[0].getsockname()[1]
        names, _ = await loop.create_datagram_endpoint(NoNames, ("127.0.0.1", 0))
        self.dns_port = names.get_extra_info("sockname")[1]
        app = web.Application()
        app.router.add_post("/callbacks", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.callback_port = runner.addresses[0][1]
        return runner

    async def _take(self, request: web.Request) -> web.Response:
        callback = Callback(dict(request.headers), await request.read())
        self.callbacks.append(callback)
        event_id = callback.headers["webhook-id"]
        if REFUSED_ONCE.encode() in callback.body and event_id not in self.refused:
            self.refused.add(event_id)
            return web.Response(status=503)
        return web.Response(status=204)


@contextmanager
def outside() -> Iterator[Outside]:
    """Give the outside world while the block runs."""
    world = Outside()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="outside", daemon=True)
    thread.start()
    runner = _within(loop, world.start())
    try:
        yield world
    finally:
        world.smsc.stop()
        _within(loop, runner.cleanup())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_TIMEOUT_S)


def until(condition: Callable[[], T], wait_s: float = WAIT_S) -> T:
    """The first answer of `condition` that is true; AssertionError when none comes."""
    deadline = time.monotonic() + wait_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(POLL_S)
    return found


def _within(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(START_TIMEOUT_S)
