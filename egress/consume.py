"""Reads topics in batches for a consumer group: decode, hand over, and only then commit."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import CommitFailedError, IllegalGenerationError, IllegalStateError, RebalanceInProgressError

from egress.meter import Meter, Unmetered
from schemas.codec import MAX_RECORD_OCTETS, Codec, UnreadableError
from schemas.rows import DeadRecord
from schemas.topics import DEADLETTERS, Topic

MAX_BATCH = 1_000
POLL_MS = 500
START_TIMEOUT_MS = 60_000
STOP_TIMEOUT_MS = 10_000
BROKER_TIMEOUT_MS = 30_000
HANDLE_TIMEOUT_MS = 120_000
"""Well below the five minutes after which the group gives the partitions to another member."""
MAX_DEAD_OCTETS = 1024 * 1024
"""Of the key and of the value of an unreadable record that are kept, so that the dead letter itself fits."""
FETCH_OCTETS = 8 * 1024 * 1024
FETCH_MIN_OCTETS = 256 * 1024
"""Who gathers wants few large fetches."""

Handle = Callable[[Sequence[Any]], Awaitable[None]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Source:
    """Where to read: the brokers, the consumer group, and the topics with what they hold."""

    bootstrap: str
    group: str
    topics: tuple[Topic, ...]


async def consume(
    source: Source, codec: Codec, handle: Handle, stop: asyncio.Event, *, gather_ms: int = 0, meter: Meter | None = None
) -> None:
    """Hand batches of decoded values to `handle` until `stop`; at least once each, in order within a partition.

    A record that cannot be read goes to `hermes.deadletters.v1` and is passed. What `handle` raises is raised here, its
    batch uncommitted: the supervisor starts the process again and the batch is done again.
    """
    holds = {topic.name: topic.holds for topic in source.topics}
    known = meter or Unmetered()
    consumer = AIOKafkaConsumer(
        *holds,
        bootstrap_servers=source.bootstrap,
        group_id=source.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=FETCH_OCTETS,
        fetch_min_bytes=FETCH_MIN_OCTETS if gather_ms else 1,
        fetch_max_wait_ms=max(gather_ms, POLL_MS),
        max_partition_fetch_bytes=MAX_RECORD_OCTETS,
        request_timeout_ms=BROKER_TIMEOUT_MS,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=source.bootstrap,
        acks="all",
        enable_idempotence=True,
        max_request_size=2 * MAX_DEAD_OCTETS + 65_536,
        request_timeout_ms=BROKER_TIMEOUT_MS,
    )
    try:
        async with asyncio.timeout(START_TIMEOUT_MS / 1000):
            await producer.start()
            await consumer.start()
        while not stop.is_set():
            async with asyncio.timeout(BROKER_TIMEOUT_MS / 1000):
                fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_BATCH)
            records = [record for batch in fetched.values() for record in batch]
            if not records:
                continue
            if gather_ms and len(records) < MAX_BATCH // 2:
                await asyncio.sleep(gather_ms / 1000)
                more = await consumer.getmany(timeout_ms=0, max_records=MAX_BATCH)
                records += [record for batch in more.values() for record in batch]
            values = [v for r in records if (v := await _read(r, holds, codec, producer, known)) is not None]
            if values:
                async with asyncio.timeout(HANDLE_TIMEOUT_MS / 1000):
                    await handle(values)
            await _commit(consumer, source.group)
    finally:
        async with asyncio.timeout(STOP_TIMEOUT_MS / 1000):
            await consumer.stop()
            await producer.stop()


async def _read(record: Any, holds: dict[str, tuple[type, ...]], codec: Codec, producer: Any, meter: Meter) -> Any:
    """The value of a record, or None after its dead letter is acknowledged."""
    try:
        value = codec.decode(record.value or b"")
        if isinstance(value, holds[record.topic]):
            return value
        reason = f"{type(value).__name__} does not belong on this topic"
    except UnreadableError as error:
        reason = str(error)
    dead = DeadRecord(
        record.topic, record.partition, record.offset,
        (record.key or b"")[: MAX_DEAD_OCTETS // 16], (record.value or b"")[:MAX_DEAD_OCTETS],
        reason[:1_000], time.time_ns() // 1_000_000,
    )  # fmt: skip
    meter.count("hermes_deadletters_total", topic=record.topic)
    log.error("record_unreadable", topic=record.topic, partition=record.partition, offset=record.offset)
    key = f"{record.topic}/{record.partition}".encode()
    async with asyncio.timeout(BROKER_TIMEOUT_MS / 1000):
        await producer.send_and_wait(DEADLETTERS.name, codec.encode(dead), key=key)
    return None


async def _commit(consumer: Any, group: str) -> None:
    try:
        async with asyncio.timeout(BROKER_TIMEOUT_MS / 1000):
            await consumer.commit()
    except (CommitFailedError, IllegalGenerationError, IllegalStateError, RebalanceInProgressError) as error:
        # the partitions have gone to another member, which does the batch again: writing it twice is the same as once
        log.info("commit_refused", group=group, reason=type(error).__name__)
