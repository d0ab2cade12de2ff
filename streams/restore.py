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
    begin = {topic: checkpoint.get(topic, 0) for topic in ends[partition.number]}
    for topic, end in ends[partition.number].items():
        if begin[topic] > end:
            raise RestoreError(
                f"the local state of partition {partition.number} is ahead of {topic}: it belongs to another Kafka, "
                "or that one lost records; move the state's folder away and start again"
            )
    reader = changelog_reader(bootstrap, RESTORE_WAIT_MS)
    try:
        applied = _read(reader, partition, begin, ends[partition.number])
    finally:
        reader.close()
    partition.store.set_checkpoint(ends[partition.number])
    return applied, int((time.monotonic() - started) * 1000)


def changelog_ends(admin: AdminClient, partitions: Iterable[int]) -> dict[int, dict[str, int]]:
    """The end offsets of the changelogs of each partition."""
    ends: dict[int, dict[str, int]] = {}
    for (topic, number), end in ends_of(admin, ((t, n) for n in partitions for t in CHANGELOGS)).items():
        ends.setdefault(number, {})[topic] = end
    return ends


def _read(reader: Consumer, partition: Partition, begin: dict[str, int], ends: dict[str, int]) -> int:
    """Apply all changelogs from `begin`, or what is left from there, to `ends`; compaction leaves gaps, so an end counts too.

    All at once: a consumer that is assigned one topic after the other stands still for a second at each change.
    """
    applied, at = 0, {topic: start for topic, start in begin.items() if start < ends[topic]}
    reader.assign([TopicPartition(topic, partition.number, start) for topic, start in at.items()])
    deadline = time.monotonic() + PATIENCE_S
    while at:
        batch: list[LogRecord] = []
        # a wait for a full batch would last its whole time: wait for one record, then take what is there
        for message in (*reader.consume(1, 0.2), *reader.consume(BATCH_RECORDS, 0)):
            error, topic = message.error(), message.topic() or ""
            if error is not None:
                if error.name() != "_PARTITION_EOF":
                    raise KafkaException(error)
                at.pop(topic, None)
                continue
            batch.append((topic, message.key() or b"", message.value(), _version(message.headers())))
            if (message.offset() or 0) + 1 >= ends[topic]:
                at.pop(topic, None)
        if batch:
            deadline = time.monotonic() + PATIENCE_S
            applied += partition.restore(batch)
        elif time.monotonic() > deadline:
            raise RestoreError(f"{sorted(at)} of partition {partition.number} did not come to their ends {ends}")
    return applied


def _version(headers: object) -> int:
    found = dict(headers).get("version") if isinstance(headers, list) else None
    return int.from_bytes(found, "big") if isinstance(found, bytes) else 0
