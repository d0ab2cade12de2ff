"""An SMTP gateway on loopback with a desk in memory, and a client that can misbehave."""

import asyncio
import base64
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count

from domain.tenant import ApiKey, Tenant
from ingress.smtp.inbound import InboundMail
from ingress.smtp.server import SmtpServer
from ingress.smtp.services import Services
from ingress.smtp.settings import SmtpServerSettings
from schemas.mail.dns import Dns
from tables.config import ConfigTable, config_key
from tests.fakes.fake_desk import FakeDesk

NOW_MS = 1_800_000_000_000
USER, PASSWORD = "acme", "correct horse"
ACME = Tenant("t1", "Acme", "business", "active", from_domain="acme.example")
KEY = ApiKey("key-1", "t1", "mail", ("send",))
PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
WITHIN_S = 5.0
QUICK = SmtpServerSettings(port=0, hostname="mail.hermes.test", failure_delay_ms=0)


@dataclass(slots=True)
class CountingMeter:
    """Remembers what it was told."""

    sessions: Counter[str] = field(default_factory=Counter)
    logins: Counter[str] = field(default_factory=Counter)
    messages: list[tuple[int, int]] = field(default_factory=list)
    connections: Callable[[], int] = lambda: 0

    def session(self, outcome: str) -> None:
        """Count."""
        self.sessions[outcome] += 1

    def login(self, outcome: str) -> None:
        """Count."""
        self.logins[outcome] += 1

    def message(self, code: int, octets: int, _seconds: float) -> None:
        """Remember code and size."""
        self.messages.append((code, octets))

    def watch_connections(self, watch: Callable[[], int]) -> None:
        """Remember the gauge."""
        self.connections = watch


@dataclass(slots=True)
class Gate:
    """A running server and everything around it."""

    server: SmtpServer
    desk: FakeDesk
    config: ConfigTable
    meter: CountingMeter
    ports: tuple[int, ...] = ()

    @property
    def port(self) -> int:
        """Where STARTTLS is."""
        return self.ports[0]


async def resolve(user: str, password: str) -> ApiKey | None:
    """The one credential that there is."""
    return KEY if (user, password) == (USER, PASSWORD) else None


@asynccontextmanager
async def gate(
    settings: SmtpServerSettings = QUICK,
    desk: FakeDesk | None = None,
    inbound: InboundMail | None = None,
    tenant: Tenant = ACME,
    dns: Dns | None = None,
) -> AsyncIterator[Gate]:
    """A gateway that one tenant may use; it is stopped at the end."""
    numbers = count(1)
    config = ConfigTable()
    config.apply(config_key(tenant), tenant, 1)
    config.apply(config_key(KEY), KEY, 2)
    desk, meter = desk or FakeDesk(), CountingMeter()
    new_id = lambda: f"id-{next(numbers)}"  # noqa: E731 - short
    services = Services(desk, resolve, config, lambda: NOW_MS, new_id, meter, inbound, dns)
    running = Gate(SmtpServer(settings, services), desk, config, meter)
    running.ports = await running.server.start()
    try:
        yield running
    finally:
        await running.server.stop(1_000)


class Client:
    """Says what it is told to and hears whole replies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def hear(self) -> str:
        """The next reply, its lines parted by LF; empty when the server has closed."""
        lines: list[str] = []
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    line = (await self.reader.readline()).decode()
                except ConnectionError:
                    return ""
                if not line:
                    return "\n".join(lines)
                lines.append(line.removesuffix("\r\n"))
                if line[3:4] != "-":
                    return "\n".join(lines)

    async def send(self, data: bytes) -> None:
        """Octets as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def say(self, line: str) -> str:
        """A command and its reply."""
        await self.send(line.encode() + b"\r\n")
        return await self.hear()

    async def log_in(self) -> None:
        """EHLO and AUTH."""
        await self.say("EHLO client.test")
        assert await self.say(f"AUTH PLAIN {PLAIN}") == "235 2.7.0 Authenticated"

    async def address(self, *recipients: str) -> None:
        """MAIL, RCPT and DATA, all of them accepted."""
        assert await self.say("MAIL FROM:<news@acme.example>") == "250 2.1.0 Ok"
        for recipient in recipients or ("ann@b.example",):
            assert await self.say(f"RCPT TO:<{recipient}>") == "250 2.1.5 Ok"
        assert (await self.say("DATA")).startswith("354")

    async def hand_in(self, content: str | bytes, *recipients: str) -> str:
        """A whole transaction; the reply to its content."""
        await self.address(*recipients)
        raw = content.encode() if isinstance(content, str) else content
        await self.send(raw + b"\r\n.\r\n")
        return await self.hear()


@asynccontextmanager
async def client(port: int, tls: ssl.SSLContext | None = None, *, log_in: bool = False) -> AsyncIterator[Client]:
    """A client that has heard the greeting, and has authenticated when `log_in`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    one = Client(reader, writer)
    try:
        assert (await one.hear()).startswith("220 mail.hermes.test ESMTP")
        if log_in:
            await one.log_in()
        yield one
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


def mail(*extra: str, body: str = "Hello") -> str:
    """A small message with more header fields."""
    fields = (
        "From: Acme <news@acme.example>",
        "To: ann@b.example",
        "Subject: Hi",
        "Message-ID: <1@acme.example>",
        *extra,
    )
    return "\r\n".join((*fields, "", body))


def quick(**changes: object) -> SmtpServerSettings:
    """The usual settings but for some."""
    return replace(QUICK, **changes)  # type: ignore[arg-type] # the names are checked when it runs
