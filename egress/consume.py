"""Reads topics in batches for a consumer group: decode, hand over, and only then commit."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from egress.group import Member, Place, Record, group_consumer
from egress.meter import Meter, Unmetered
from schemas.codec import Codec, UnreadableError
from schemas.rows import DeadRecord
from schemas.topics import DEADLETTERS, Topic

MAX_BATCH = 5_000
POLL_S = 0.5
BROKER_TIMEOUT_S = 30.0
HANDLE_TIMEOUT_MS = 120_000
"""Well below the five minutes after which the group gives the partitions to another member."""
MAX_DEAD_OCTETS = 1024 * 1024
"""Of the key and of the value of an unreadable record that are kept, so that the dead letter itself fits."""
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
    fetch = {"fetch.min.bytes": FETCH_MIN_OCTETS, "fetch.wait.max.ms": gather_ms} if gather_ms else {}
    member = Member(group_consumer(source.bootstrap, source.group, **fetch), tuple(holds))
    await member.start()
    try:
        while not stop.is_set():
            records = await member.call(lambda: member.fetch(MAX_BATCH, POLL_S, gather_ms / 1000))
            if not records:
                continue
            values = [v for r in records if (v := await _read(r, source, holds, codec, known)) is not None]
            if values:
                async with asyncio.timeout(HANDLE_TIMEOUT_MS / 1000):
                    await handle(values)
            done: dict[Place, int] = {(r.topic, r.partition): r.offset + 1 for r in records}
            await member.call(partial(member.commit, done))
    finally:
        await member.close()


async def _read(record: Record, source: Source, holds: dict[str, tuple[type, ...]], codec: Codec, meter: Meter) -> Any:
    """The value of a record, or None after its dead letter is acknowledged."""
    try:
        value = codec.decode(record.value)
        if isinstance(value, holds[record.topic]):
            return value
        reason = f"{type(value).__name__} does not belong on this topic"
    except UnreadableError as error:
        reason = str(error)
    dead = DeadRecord(
        record.topic, record.partition, record.offset,
        record.key[: MAX_DEAD_OCTETS // 16], record.value[:MAX_DEAD_OCTETS],
        reason[:1_000], time.time_ns() // 1_000_000,
    )  # fmt: skip
    meter.count("hermes_deadletters_total", topic=record.topic)
    log.error("record_unreadable", topic=record.topic, partition=record.partition, offset=record.offset)
    key = f"{record.topic}/{record.partition}".encode()
    await asyncio.to_thread(_lay_aside, source.bootstrap, key, codec.encode(dead))
    return None


def _lay_aside(bootstrap: str, key: bytes, octets: bytes) -> None:
    """The dead letter is durable; rare enough for a producer of its own."""
    failures: list[KafkaError] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer({
        "bootstrap.servers": bootstrap, "enable.idempotence": True, "log_level": 3,
        "message.max.bytes": 2 * MAX_DEAD_OCTETS + 65_536, "message.timeout.ms": int(BROKER_TIMEOUT_S * 1000),
    })  # fmt: skip
    producer.produce(DEADLETTERS.name, octets, key, on_delivery=report)
    if producer.flush(BROKER_TIMEOUT_S) or failures:
        raise KafkaException(*failures[:1])
