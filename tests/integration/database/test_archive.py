"""The archive against a real PostgreSQL and a real Kafka."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from domain.billing.money import Account, Grant, LedgerEntry, Settle, apply, grant_entry, reserve_entry, settle_entry
from domain.cascade.commands import StatusChanged
from domain.cascade.plan import Plan, PlannedStep
from domain.cascade.rule import Step
from domain.cascade.states import Attempt, Cascade, Entry
from egress.archive.ledger import verify
from egress.archive.reader import PostgresArchive
from egress.archive.run import run_archive
from egress.archive.writer import ArchiveWriter
from egress.consume import Source, consume
from schemas.catalogue import codec
from schemas.codec import Codec
from schemas.rows import DeadRecord
from schemas.topics import DEADLETTERS, LEDGER, STATUS, Topic
from tests.conftest import Stack
from tests.integration.database.conftest import eventually

pytestmark = pytest.mark.integration

PLAN = Plan((PlannedStep(Step("sms"), "+4512345678", 1, 50_000),), "delivered", 86_400_000, "delivered", 0, "r")
SENT = Attempt(1, 0, "sms", "sent", 1_000, carrier="telia", provider_ids=("a1", "a2"), segments=2)
AVRO = codec()
FIRST = Cascade("msg-1", "acme", PLAN, 50_000, 1_000, 9_000, "t", reference="order 7", recipient_hash="hash")
SECOND = replace(FIRST, state="waiting_confirmation", attempts=(SENT,), history=(Entry(1, "sent", 1, "x"),), revision=1)
THIRD = replace(
    SECOND,
    state="delivered",
    attempts=(replace(SENT, state="delivered", code="0\x00", completed_at_ms=2),),
    history=(*SECOND.history, Entry(2, "delivered", 1, "NUL \x00 in it")),
    revision=2,
)


def told(cascade: Cascade) -> StatusChanged:
    return StatusChanged(
        cascade.message_id,
        cascade.tenant_id,
        cascade.revision,
        "e",
        "",
        1,
        cascade.is_final,
        "sms",
        2,
        AVRO.encode(cascade),
    )


async def contents(pool: Any) -> dict[str, list[str]]:
    tables = ("messages", "attempts", "events", "ledger_entries")
    rows = {t: await pool.fetch(f"select * from {t} order by 1, 2, 3") for t in tables}  # noqa: S608 - constants above
    return {t: [str(tuple(row.values())) for row in found] for t, found in rows.items()}


async def test_a_message_reads_back_exactly_and_only_for_its_tenant(pool: Any, avro: Codec) -> None:
    await ArchiveWriter(pool, avro).apply([told(FIRST), told(THIRD), told(SECOND)])
    archive = PostgresArchive(pool, avro)
    assert await archive.message("acme", "msg-1") == THIRD
    assert await archive.message("other", "msg-1") is None
    assert await archive.message("acme", "msg\x00") is None
    row = await pool.fetchrow("select state, channel, reference, recipient_hash, created_at_ms from messages")
    assert tuple(row.values()) == ("delivered", "sms", "order 7", "hash", 1_000)
    attempt = await pool.fetchrow("select state, provider_ids, code from attempts")
    assert tuple(attempt.values()) == ("delivered", ["a1", "a2"], "0\ufffd")
    assert await pool.fetchval("select count(*) from events") == 2


async def test_a_batch_done_again_and_an_older_one_late_change_nothing(pool: Any, avro: Codec) -> None:
    writer = ArchiveWriter(pool, avro)
    entry = grant_entry(Account("acme"), Grant("acme", "g1", 100, 5))
    await writer.apply([told(SECOND), entry])
    await writer.apply([told(THIRD), entry, entry])
    before = await contents(pool)
    assert [len(rows) for rows in before.values()] == [1, 1, 2, 1]
    await writer.apply([told(THIRD), entry])
    await writer.apply([told(FIRST), told(SECOND), entry])
    assert await contents(pool) == before


async def test_a_batch_that_fails_is_raised_and_leaves_nothing(pool: Any, avro: Codec) -> None:
    broken = replace(grant_entry(Account("acme"), Grant("acme", "g1", 100, 5)), channel="\x00")
    with pytest.raises(Exception, match="0x00"):
        await ArchiveWriter(pool, avro).apply([told(FIRST), broken])
    assert not any((await contents(pool)).values())


async def test_the_ledger_is_sound_until_an_entry_is_missing_or_forged(pool: Any, avro: Codec, dsn: str) -> None:
    account, entries = Account("acme"), list[LedgerEntry]()
    moves: tuple[Callable[[Account], LedgerEntry], ...] = (
        lambda a: grant_entry(a, Grant("acme", "g", 1_000, 1)),
        lambda a: reserve_entry(a, "m1", 300, 2),
        lambda a: reserve_entry(a, "m2", 200, 2),
        lambda a: settle_entry(a, Settle("acme", "m1", 300, 120, 3)),
    )
    for make in moves:
        entries.append(make(account))
        account = apply(account, entries[-1])
    await ArchiveWriter(pool, avro).apply([*entries, grant_entry(Account("zed"), Grant("zed", "g", 5, 1))])
    acme, zed = await verify(dsn)
    assert acme.sound
    assert zed.sound
    assert (acme.entries, acme.available_micros, acme.reserved_micros) == (4, 680, 200)
    assert (acme.spent_micros, acme.granted_micros) == (120, 1_000)
    await pool.execute("delete from ledger_entries where entry_id = 'reserve:m1'")
    (broken,) = await verify(dsn, "acme")
    assert (broken.sound, broken.missing) == (False, 1)
    await pool.execute("update ledger_entries set granted_micros = 6 where tenant_id = 'zed'")
    assert [c.sound for c in await verify(dsn, "zed")] == [False]


async def make_topics(bootstrap: str, *names: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for name in names:
            try:
                await admin.create_topics([NewTopic(name, 2, 1)])
            except TopicAlreadyExistsError:
                continue
    finally:
        await admin.close()


async def send(bootstrap: str, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, key=b"k")
    finally:
        await producer.stop()


ARCHIVED = """
select (select count(*) from ledger_entries where entry_id = 'grant:g1') = 1
   and (select max(revision) from messages where message_id = 'msg-1') = 2
"""


async def test_the_process_archives_from_kafka_and_lays_aside_what_it_cannot_read(
    stack: Stack, pool: Any, avro: Codec, dsn: str
) -> None:
    await make_topics(stack.bootstrap, STATUS.name, LEDGER.name, DEADLETTERS.name)
    entry = avro.encode(grant_entry(Account("acme"), Grant("acme", "g1", 100, 5)))
    first, third = avro.encode(told(FIRST)), avro.encode(told(THIRD))
    await send(stack.bootstrap, STATUS.name, b"rubbish of this test", first, entry, third)
    await send(stack.bootstrap, LEDGER.name, entry)
    stop = asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(run_archive(stack.bootstrap, dsn, avro, stop))
        await eventually(lambda: pool.fetchval(ARCHIVED))
        stop.set()
    assert await PostgresArchive(pool, avro).message("acme", "msg-1") == THIRD
    dead = await dead_letters(stack.bootstrap, avro, {b"rubbish of this test", entry})
    assert [(d.topic, d.reason) for d in dead] == [
        (STATUS.name, "not in the Confluent wire format"),
        (STATUS.name, "LedgerEntry does not belong on this topic"),
    ]


async def test_a_batch_that_was_not_written_is_handed_over_again(stack: Stack, avro: Codec) -> None:
    topic = Topic("hermes.test.consume.v1", "message", (LedgerEntry,))
    await make_topics(stack.bootstrap, topic.name, DEADLETTERS.name)
    entry, stop, got = grant_entry(Account("acme"), Grant("acme", "g1", 100, 5)), asyncio.Event(), list[Any]()
    await send(stack.bootstrap, topic.name, avro.encode(entry))
    source = Source(stack.bootstrap, "hermes.test.consume", (topic,))

    async def die(_values: Sequence[Any]) -> None:
        raise OSError("the disk is full")

    async def take(values: Sequence[Any]) -> None:
        got.extend(values)
        stop.set()

    async with asyncio.timeout(60):
        with pytest.raises(OSError, match="the disk"):
            await consume(source, avro, die, stop)
        await consume(source, avro, take, stop)
    assert got == [entry]


async def dead_letters(bootstrap: str, avro: Codec, values: set[bytes]) -> list[DeadRecord]:
    """The dead letters of these values, in order."""
    found: list[DeadRecord] = []
    consumer = AIOKafkaConsumer(DEADLETTERS.name, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            while len(found) < len(values):
                dead = avro.decode((await consumer.getone()).value)
                if dead.value in values:
                    found.append(dead)
            return found
    finally:
        await consumer.stop()
