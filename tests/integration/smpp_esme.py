"""An ESME on loopback that says what a test wants, and a running server for it."""

import asyncio
import itertools
import ssl
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import TracebackType

from domain.cascade.commands import StatusChanged
from domain.cascade.plan import Plan, PlannedStep
from domain.cascade.rule import Step
from domain.cascade.states import Attempt, Cascade, StateName
from domain.tenant import ApiKey, Tenant
from ingress.smpp.server import SmppServer
from ingress.smpp.settings import SmppServerSettings
from schemas.catalogue import codec as avro_codec
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp.pdu import Decoded, FieldValue, MessageAck, Pdu, ShortMessage
from tables.config import ConfigTable, config_key
from tests.fakes.fake_desk import FakeDesk
from tests.fakes.fake_parts import FakeParts
from tests.fakes.fake_receipts import FakeReceipts
from tests.integration.smpp_peers import now_ms

WAIT_S = 5.0
AVRO = avro_codec()
QUICK = SmppServerSettings(
    port=0, tick_ms=20, receipt_poll_ms=20, refused_close_ms=20, unbind_timeout_ms=500, expire_every_ms=20
)
PASSWORD = "secret"
ACCOUNTS = {
    "acme": (PASSWORD, ApiKey("key-1", "acme", "smpp", ("send", "read"))),
    "acme2": (PASSWORD, ApiKey("key-2", "acme", "smpp", ("send", "read"))),
    "other": (PASSWORD, ApiKey("key-3", "other", "smpp", ("send", "read"))),
    "reader": (PASSWORD, ApiKey("key-4", "acme", "smpp", ("read",))),
    "revoked": (PASSWORD, ApiKey("key-5", "acme", "smpp", ("send",), revoked=True)),
}


async def resolve(system_id: str, password: str) -> ApiKey | None:
    """The key of an account of this file."""
    found = ACCOUNTS.get(system_id)
    return found[1] if found is not None and found[0] == password else None


@dataclass
class Gateway:
    """A running server with everything around it."""

    server: SmppServer
    desk: FakeDesk
    store: FakeReceipts
    parts: FakeParts
    config: ConfigTable
    port: int
    tls_port: int

    async def ended(
        self, message_id: str, state: StateName = "delivered", code: str = "", tenant: str = "acme"
    ) -> None:
        """Tell the server that a message has reached its end."""
        await self.server.receipts([ended(message_id, state, code, tenant)])


@asynccontextmanager
async def gateway(
    settings: SmppServerSettings = QUICK,
    desk: FakeDesk | None = None,
    store: FakeReceipts | None = None,
    parts: FakeParts | None = None,
) -> AsyncIterator[Gateway]:
    """A server with a desk that accepts everything."""
    desk, store, parts, config = desk or FakeDesk(), store or FakeReceipts(), parts or FakeParts(), ConfigTable()
    for tenant_id in ("acme", "other"):
        tenant = Tenant(tenant_id, tenant_id, "business", "active", sender_id="Acme")
        config.apply(config_key(tenant), tenant, 1)
    server = SmppServer(settings, desk, resolve, config, store, parts, AVRO, now_ms, lambda: str(uuid.uuid4()))
    ports = await server.start()
    try:
        yield Gateway(server, desk, store, parts, config, ports.plain, ports.tls)
    finally:
        await server.stop(200)


class Esme:
    """One connection. Numbers of requests count from 1."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._port = port
        self._tls = tls
        self._numbers = itertools.count(1)
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> "Esme":
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self._port, ssl=self._tls, server_hostname="localhost" if self._tls else None
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.transport.abort()

    def say(self, octets: bytes) -> None:
        self.writer.write(octets)

    def send(self, pdu: ShortMessage | Pdu) -> int:
        """Send a request under the next number."""
        number = next(self._numbers)
        self.say(codec.encode(pdu._replace(sequence=number)))
        return number

    async def hear(self) -> Decoded:
        """The next PDU but enquire_link, which is answered."""
        while True:
            async with asyncio.timeout(WAIT_S):
                head = await self.reader.readexactly(4)
                rest = await self.reader.readexactly(int.from_bytes(head, "big") - 4)
            pdu = codec.decode(head + rest)
            if pdu.command_id != c.ENQUIRE_LINK:
                return pdu
            self.say(codec.header_only(c.ENQUIRE_LINK_RESP, 0, pdu.sequence))

    async def ask(self, pdu: ShortMessage | Pdu) -> Decoded:
        """Send and hear."""
        number = self.send(pdu)
        answer = await self.hear()
        assert answer.sequence == number, answer
        return answer

    async def bind(
        self, command: int = c.BIND_TRANSCEIVER, system_id: str = "acme", password: str = PASSWORD, version: int = 0x34
    ) -> Decoded:
        fields: dict[str, FieldValue] = {
            "system_id": system_id,
            "password": password,
            "interface_version": version,
        }
        return await self.ask(Pdu(command, 0, 0, fields))

    async def hear_receipt(self, status: int = 0) -> ShortMessage:
        """The next deliver_sm, answered with this status."""
        pdu = await self.hear()
        assert isinstance(pdu, ShortMessage), pdu
        assert pdu.command_id == c.DELIVER_SM
        self.say(codec.encode(MessageAck(c.DELIVER_SM_RESP, status, pdu.sequence)))
        return pdu

    async def wait_closed(self) -> bytes:
        """What still comes until the server closes."""
        async with asyncio.timeout(WAIT_S):
            return await self.reader.read(1 << 20)


@asynccontextmanager
async def bound(port: int, **how: object) -> AsyncIterator[Esme]:
    """A connection that is bound."""
    async with Esme(port) as esme:
        answer = await esme.bind(**how)  # type: ignore[arg-type]  # the names and types are bind's
        assert answer.status == 0, answer
        yield esme


def text(message: str = "hello", to: str = "4512345678", **changes: object) -> ShortMessage:
    """A submit_sm."""
    base = ShortMessage(
        source_addr_ton=5, source_addr="Acme", dest_addr_ton=1, dest_addr_npi=1, destination_addr=to,
        short_message=message.encode(),
    )  # fmt: skip
    return base._replace(**changes)  # type: ignore[arg-type]  # the names and types are ShortMessage's


def ended(message_id: str, state: StateName = "delivered", code: str = "", tenant: str = "acme") -> StatusChanged:
    """The end of a message."""
    final = cascade(message_id, state, code, tenant)
    return StatusChanged(message_id, tenant, 3, state, "", 1, True, "sms", final.updated_at_ms, AVRO.encode(final))


def cascade(message_id: str, state: StateName, code: str = "", tenant: str = "acme") -> Cascade:
    """Where a message stands after one attempt."""
    plan = Plan((PlannedStep(Step("sms"), "+4512345678", 1, 0),), "delivered", 1, "delivered", 0, "")
    attempt = Attempt(1, 0, "sms", "delivered" if state == "delivered" else "failed", 1, code=code)
    at_ms = now_ms()
    base = Cascade(message_id, tenant, plan, 0, at_ms, at_ms, "")
    return replace(base, state=state, attempts=(attempt,), updated_at_ms=at_ms)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - a test watches from outside what has no event to wait for
            await asyncio.sleep(0.005)
