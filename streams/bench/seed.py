"""State of a million messages in seconds: one message goes through the engine, and what it left is written again and again.

Ids are equally long, so the octets of a row or record of one message are those of another but for the id in them. What a
row looks like is the engine's own business: nothing here knows a table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Producer

from schemas.rows import Submit
from schemas.topics import SUBMITS
from streams.bench.lane import Lane
from streams.bench.result import BenchError
from streams.bench.world import CARRIER, message_id, tenant_id
from streams.outlet import producer
from tables.catalogue import TABLES
from tables.store import MemoryStore, Store, Write

SAMPLE: Final = 0xFFFFFFF
"""The number of the message that goes through the engine."""
WRITES_A_BATCH: Final = 5_000
QUEUE_POLL_S: Final = 0.05
FLUSH_S: Final = 120.0

LogRow = tuple[str, bytes, bytes, int]
"""Topic, key, value, version."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one message that has ended left: pairs of the local store, and records of the changelogs."""

    pairs: tuple[tuple[bytes, bytes], ...]
    logged: tuple[LogRow, ...]


def sample(now_ms: int) -> Sample:
    """The state of one message that was delivered at `now_ms`."""
    store = MemoryStore()
    lane = Lane(store, 1, now_ms)
    lane.open_accounts()
    lane.send(SAMPLE, 1)
    own = message_id(SAMPLE).encode()
    changelogs = dict.fromkeys(table.changelog.name for table in TABLES)
    newest: dict[tuple[str, bytes], LogRow] = {}
    for topic in changelogs:
        for record in lane.broker.logs.get((topic, 0), []):
            if own in record.key and record.value is not None:
                newest[topic, record.key] = (topic, record.key, record.value, record.version)
    attempt = Submit(message_id(SAMPLE), 1, CARRIER, "sent", ("p00000000",), 1, 30_000, 12_000, "trace", now_ms)
    submit = (SUBMITS.name, f"{attempt.message_id}/1".encode(), lane.records.encode(attempt), 0)
    pairs = tuple((key, value) for key, value in store.scan(b"") if own in key)
    if not pairs or not newest:
        raise BenchError("a message left no state")
    return Sample(pairs, (*newest.values(), submit))


def fill(store: Store, one: Sample, rows: int, tenants: int) -> None:
    """Write the state of so many messages to a store, tenants in turn."""
    writes: list[Write] = []
    for number in range(rows):
        names = _names(number, tenants)
        writes.extend((_renamed(key, names), _renamed(value, names)) for key, value in one.pairs)
        if len(writes) >= WRITES_A_BATCH:
            store.write(writes)
            writes.clear()
    if writes:
        store.write(writes)


def fill_topics(bootstrap: str, one: Sample, rows: int, partitions: int) -> None:
    """Write the same to the changelogs of so many partitions; BenchError when Kafka does not take it."""
    sender = producer(bootstrap, **{"linger.ms": 50, "message.timeout.ms": 60_000})
    for number in range(rows):
        names = _names(number, 1)
        for topic, key, value, version in one.logged:
            _produce(sender, topic, _renamed(key, names), _renamed(value, names), number % partitions, version)
    if sender.flush(FLUSH_S):
        raise BenchError(f"Kafka did not take the state of {rows} messages")


def _produce(sender: Producer, topic: str, key: bytes, value: bytes, partition: int, version: int) -> None:
    for _ in _patience():
        try:
            sender.produce(topic, value, key, partition, headers=[("version", version.to_bytes(8, "big"))])
        except BufferError:
            sender.poll(QUEUE_POLL_S)
        else:
            return
    raise BenchError("Kafka takes no records")


def _patience() -> Iterator[int]:
    return iter(range(round(FLUSH_S / QUEUE_POLL_S)))


def _names(number: int, tenants: int) -> Mapping[bytes, bytes]:
    """The ids of the sample, and those that stand in their place."""
    return {
        message_id(SAMPLE).encode(): message_id(number).encode(),
        tenant_id(0).encode(): tenant_id(number % tenants).encode(),
    }


def _renamed(octets: bytes, names: Mapping[bytes, bytes]) -> bytes:
    for old, new in names.items():
        octets = octets.replace(old, new)
    return octets
