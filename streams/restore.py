"""Restores a partition's tables from their changelogs, from where its store had read them to."""

import time
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tables.catalogue import TABLES
from tables.changelog import RESTORE_WAIT_MS, changelog_reader, ends_of
from tables.partition import LogRecord, Partition

BATCH_RECORDS = 5_000
PATIENCE_S = 30.0

CHANGELOGS: tuple[str, ...] = tuple(dict.fromkeys(t.changelog.name for t in TABLES))


class RestoreError(Exception):
    """A changelog could not be read to its end in time, or is not the one that the local state came from."""


def restore(bootstrap: str, partition: Partition) -> tuple[int, int]:
    """Bring the store up to the end of its changelogs; returns (records applied, milliseconds)."""
    started = time.monotonic()
    checkpoint = partition.store.checkpoint()
    ends = changelog_ends(AdminClient({"bootstrap.servers": bootstrap, "log_level": 3}), [partition.number])
    reader = changelog_reader(bootstrap, RESTORE_WAIT_MS)
    applied = 0
    try:
        for topic, end in ends[partition.number].items():
            start = checkpoint.get(topic, 0)
            if start > end:
                raise RestoreError(
                    f"the local state of partition {partition.number} is ahead of {topic}: it belongs to another Kafka, "
                    "or that one lost records; move the state's folder away and start again"
                )
            applied += _read(reader, partition, TopicPartition(topic, partition.number), start, end)
        partition.store.set_checkpoint(ends[partition.number])
    finally:
        reader.close()
    return applied, int((time.monotonic() - started) * 1000)


def changelog_ends(admin: AdminClient, partitions: Iterable[int]) -> dict[int, dict[str, int]]:
    """The end offsets of the changelogs of each partition."""
    ends: dict[int, dict[str, int]] = {}
    for (topic, number), end in ends_of(admin, ((t, n) for n in partitions for t in CHANGELOGS)).items():
        ends.setdefault(number, {})[topic] = end
    return ends


def _read(reader: Consumer, partition: Partition, place: TopicPartition, start: int, end: int) -> int:
    """Apply one changelog from `start`, or what is left from there, to `end`; compaction leaves gaps, so its end counts too."""
    applied, at = 0, start
    if at >= end:
        return 0
    reader.assign([TopicPartition(place.topic, place.partition, start)])
    deadline = time.monotonic() + PATIENCE_S
    while at < end:
        batch: list[LogRecord] = []
        # a wait for a full batch would last its whole time: wait for one record, then take what is there
        for message in (*reader.consume(1, 0.2), *reader.consume(BATCH_RECORDS, 0)):
            error = message.error()
            if error is not None:
                if error.name() == "_PARTITION_EOF":
                    at = end
                    continue
                raise KafkaException(error)
            batch.append((place.topic, message.key() or b"", message.value(), _version(message.headers())))
            at = (message.offset() or 0) + 1
        if batch:
            deadline = time.monotonic() + PATIENCE_S
            applied += partition.restore(batch)
        elif time.monotonic() > deadline:
            raise RestoreError(f"{place.topic}/{place.partition} stops at {at} of {end}")
    reader.unassign()
    return applied


def _version(headers: object) -> int:
    found = dict(headers).get("version") if isinstance(headers, list) else None
    return int.from_bytes(found, "big") if isinstance(found, bytes) else 0
