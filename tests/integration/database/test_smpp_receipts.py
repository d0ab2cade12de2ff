"""Receipts from their topic to a bound receiver, over a real Kafka and a real PostgreSQL, also when the gateway dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ingress.smpp.postgres_parts import PostgresParts
from ingress.smpp.postgres_receipts import PostgresReceipts
from ingress.smpp.receipts import run_receipts
from ingress.smpp.server import SmppServer
from schemas.codec import Codec
from schemas.smpp import commands as c
from schemas.smpp.pdu import MessageAck, ShortMessage
from schemas.topics import RECEIPTS
from tables.config import ConfigTable
from tests.conftest import Stack
from tests.fakes.fake_desk import FakeDesk
from tests.integration.database.test_archive import make_topics, send
from tests.integration.smpp_esme import QUICK, bound, ended, resolve, text
from tests.integration.smpp_peers import now_ms

pytestmark = pytest.mark.integration


@asynccontextmanager
async def server(pool: Any, avro: Codec, ids: list[str]) -> AsyncIterator[tuple[SmppServer, int]]:
    """A gateway over this database; `ids` are those that it gives."""
    made = SmppServer(
        QUICK, FakeDesk(), resolve, ConfigTable(), PostgresReceipts(pool), PostgresParts(pool), avro, now_ms,
        lambda: ids.pop(0),
    )  # fmt: skip
    ports = await made.start()
    try:
        yield made, ports.plain
    finally:
        await made.stop(0)


async def test_a_receipt_survives_the_gateway_that_took_its_message_and_comes_from_the_topic(
    pool: Any, avro: Codec, stack: Stack
) -> None:
    await make_topics(stack.bootstrap, RECEIPTS.name)
    ids = [f"01890a5d-ac96-774b-bcce-b302099a80{n:02d}" for n in range(10)]
    async with server(pool, avro, ids) as (_, port), bound(port, command=c.BIND_TRANSMITTER) as esme:
        answer = await esme.ask(text(registered_delivery=1))
        assert isinstance(answer, MessageAck)
    stop = asyncio.Event()
    async with server(pool, avro, ids) as (second, port):
        reading = asyncio.create_task(
            run_receipts(stack.bootstrap, avro, second.receipts, stop, f"receipts-{now_ms()}")
        )
        told = avro.encode(ended("msg-01890a5d-ac96-774b-bcce-b302099a8000"))
        await send(stack.bootstrap, RECEIPTS.name, b"no record of ours", told)
        async with bound(port, command=c.BIND_RECEIVER) as deaf:
            async with asyncio.timeout(30):
                first = await deaf.hear()
            assert isinstance(first, ShortMessage)
        async with bound(port, command=c.BIND_RECEIVER) as receiver:
            again = await receiver.hear_receipt()
            assert again.short_message == first.short_message
            assert again.short_message.startswith(b"id:" + answer.message_id.encode())
        stop.set()
        await reading


async def test_parts_survive_the_gateway_that_acknowledged_them(pool: Any, avro: Codec) -> None:
    ids = [f"01890a5d-ac96-774b-bcce-b302099a81{n:02d}" for n in range(10)]
    sar = [((0x020C, b"\0\7"), (0x020E, b"\2"), (0x020F, bytes((n,)))) for n in (1, 2)]
    async with server(pool, avro, ids) as (_, port), bound(port) as esme:
        first = await esme.ask(text("hello ", tlvs=sar[0]))
    async with server(pool, avro, ids) as (_, port), bound(port) as esme:
        second = await esme.ask(text("world", tlvs=sar[1]))
        assert isinstance(first, MessageAck)
        assert isinstance(second, MessageAck)
        assert (first.message_id[:32], first.message_id[32:], second.message_id[32:]) == (
            second.message_id[:32], "01", "02",
        )  # fmt: skip
