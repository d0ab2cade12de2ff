"""A carrier on loopback that does what a test's script says, and the client under test bound to a carrier."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from deploy.sandbox.carrier import SandboxCarrier
from deploy.sandbox.carrier_book import Book, SandboxConfig
from domain.delivery import Outcome, ReceiptSeen
from egress.smpp.carrier import SmppCarrier
from egress.smpp.config import CarrierConfig
from egress.smpp.inbound import OnMessage
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp.pdu import Decoded, MessageAck, Pdu, ShortMessage
from tests.fakes.smpp_events import KeptEvents
from tests.fakes.sms_attempts import sms

WAIT_S = 5.0
STEP_S = 0.005

OnReceipt = Callable[[ReceiptSeen], Awaitable[None]]


class Peer:
    """The carrier's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def hear(self) -> Decoded:
        """The next PDU."""
        async with asyncio.timeout(WAIT_S):
            head = await self._reader.readexactly(4)
            rest = await self._reader.readexactly(int.from_bytes(head, "big") - 4)
        return codec.decode(head + rest)

    async def hear_submit(self) -> ShortMessage:
        """The next PDU, which must be a submit_sm."""
        pdu = await self.hear()
        assert isinstance(pdu, ShortMessage), pdu
        return pdu

    def say(self, octets: bytes) -> None:
        """Write octets."""
        self._writer.write(octets)

    def answer(self, submit: ShortMessage, message_id: str, status: int = 0) -> None:
        """Answer a submit_sm."""
        self.say(codec.encode(MessageAck(c.SUBMIT_SM_RESP, status, submit.sequence, message_id)))

    async def accept_bind(self) -> None:
        """Hear a bind and agree."""
        pdu = await self.hear()
        assert pdu.command_id == c.BIND_TRANSCEIVER
        self.say(codec.encode(Pdu(c.BIND_TRANSCEIVER_RESP, 0, pdu.sequence, {"system_id": "peer"})))

    def hang_up(self) -> None:
        """Reset the connection."""
        self._writer.transport.abort()

    async def wait_closed(self) -> bytes:
        """What the client still sends until it closes."""
        async with asyncio.timeout(WAIT_S):
            return await self._reader.read(1 << 16)


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def scripted(*scripts: Script) -> AsyncIterator[int]:
    """A carrier whose n-th connection runs the n-th script, the last one again and again; the value is its port."""
    failures: list[BaseException] = []
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        script = scripts[min(count, len(scripts) - 1)]
        count += 1
        try:
            await script(Peer(reader, writer))
        except AssertionError as error:
            failures.append(error)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError, asyncio.CancelledError):
            pass  # the client under test went away
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
    assert not failures, failures


@asynccontextmanager
async def sandbox(
    config: SandboxConfig | None = None, book: Book | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[SandboxCarrier, int]]:
    """The simulated carrier of the product, and its port."""
    carrier = SandboxCarrier(config or SandboxConfig(), book or Book())
    port = await carrier.start(tls)
    try:
        yield carrier, port
    finally:
        await carrier.stop()


class Client:
    """The client under test with the receipts and events that it gave."""

    def __init__(
        self, config: CarrierConfig, on_receipt: OnReceipt | None = None, on_message: OnMessage | None = None
    ) -> None:
        self.receipts: list[ReceiptSeen] = []
        self.events = KeptEvents()
        self.carrier = SmppCarrier(
            config, on_receipt or self._keep, backoff=lambda _: 20, now_ms=now_ms, events=self.events,
            on_message=on_message,
        )  # fmt: skip

    async def _keep(self, receipt: ReceiptSeen) -> None:
        self.receipts.append(receipt)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        async with asyncio.timeout(WAIT_S):
            while not condition():  # noqa: ASYNC110 - a test watches from outside what has no event to wait for
                await asyncio.sleep(STEP_S)


@asynccontextmanager
async def bound(
    config: CarrierConfig,
    on_receipt: OnReceipt | None = None,
    *,
    wait: bool = True,
    on_message: OnMessage | None = None,
) -> AsyncIterator[Client]:
    """A running client, bound unless told not to wait."""
    client = Client(config, on_receipt, on_message)
    running = asyncio.create_task(client.carrier.run())
    try:
        if wait:
            await client.until(lambda: client.carrier.ready or running.done())
        yield client
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def now_ms() -> int:
    """The wall clock."""
    return int(time.time() * 1000)


def config(port: int, **changes: object) -> CarrierConfig:
    """A carrier on loopback."""
    base = CarrierConfig(name="sim", host="127.0.0.1", port=port, system_id="hermes", password="secret")
    return replace(base, **changes)  # type: ignore[arg-type]  # the field names and types are the caller's


async def send_all(client: Client, addresses: list[str]) -> list[Outcome]:
    """Submit one message to each address, all at once."""
    attempts = [sms(address=address, message_id=f"m{number}") for number, address in enumerate(addresses)]
    return await asyncio.gather(*[client.carrier.submit(attempt) for attempt in attempts])
