"""Reads topics from their beginning to their end, and asks how far each consumer group has come."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from domain.audit.chain import GENESIS, AuditEntry, is_next
from domain.cascade.commands import StatusChanged
from schemas.catalogue import codec
from schemas.topics import AUDIT, STATUS
from streams.crash.books import Chain
from tables.changelog import changelog_reader, ends_of

BATCH_RECORDS: Final = 5_000
PATIENCE_S: Final = 30.0
"""Without a record; a long topic may take as long as it takes."""
FETCH_WAIT_MS: Final = 50
GROUPS: Final = (
    "hermes.pipeline",
    "hermes.egress",
    "hermes.archive",
    "hermes.webhooks",
    "hermes.receipts",
    "hermes-insight",
)

Finals = dict[str, set[tuple[int, str]]]


def read_topic(bootstrap: str, topic: str, take: Callable[[bytes, bytes], None]) -> None:
    """Give `take` key and value of every record; TimeoutError when the broker stops telling, KafkaException as it comes."""
    reader = changelog_reader(bootstrap, FETCH_WAIT_MS)
    try:
        found = reader.list_topics(topic, timeout=PATIENCE_S).topics[topic]
        unread = set(found.partitions)
        reader.assign([TopicPartition(topic, number, 0) for number in unread])
        deadline = time.monotonic() + PATIENCE_S
        while unread:
            for message in (*reader.consume(1, 0.2), *reader.consume(BATCH_RECORDS, 0)):
                error, value = message.error(), message.value()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition() or 0)
                elif error is not None:
                    raise KafkaException(error)
                elif value is not None:
                    take(message.key() or b"", value)
                deadline = time.monotonic() + PATIENCE_S
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic} could not be read to its end")
    finally:
        reader.close()


def statuses(bootstrap: str, tenants: frozenset[str]) -> tuple[frozenset[str], Finals]:
    """The messages of these tenants on the status topic, and when and how each of them ended.

    An end that is told again after a crash may have another revision, when an annotation came into its batch meanwhile.
    """
    records, messages, finals = codec(), set[str](), defaultdict[str, set[tuple[int, str]]](set)

    def take(_key: bytes, value: bytes) -> None:
        status = records.decode(value)
        if isinstance(status, StatusChanged) and status.tenant_id in tenants:
            messages.add(status.message_id)
            if status.final:
                finals[status.message_id].add((status.at_ms, status.event))

    read_topic(bootstrap, STATUS.name, take)
    return frozenset(messages), dict(finals)


def chains(bootstrap: str, tenants: Iterable[str]) -> dict[str, Chain]:
    """The audit chain of each of these tenants that has one; an entry may be there twice, if both are the same."""
    records = codec()
    entries: dict[str, list[AuditEntry]] = {tenant: [] for tenant in tenants}

    def take(_key: bytes, value: bytes) -> None:
        entry = records.decode(value)
        if isinstance(entry, AuditEntry) and entry.tenant_id in entries:
            entries[entry.tenant_id].append(entry)

    read_topic(bootstrap, AUDIT.name, take)
    return {tenant: chain_of(found) for tenant, found in entries.items() if found}


def chain_of(entries: Iterable[AuditEntry]) -> Chain:
    """The chain that entries make, in whatever order they came."""
    told = sorted(set(entries), key=lambda entry: entry.seq)
    previous, broken_at = GENESIS, 0
    for seq, entry in enumerate(told, 1):
        if not is_next(entry, previous, seq):
            broken_at = seq
            break
        previous = entry.hash
    return Chain(frozenset(entry.message_id for entry in told), broken_at)


def lags(bootstrap: str) -> dict[str, int]:
    """How many records each group has still to do, by group, topic and partition; 1 for a group that did nothing at all."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    found: dict[str, int] = {}
    for group in GROUPS:
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        told = asked[group].result(PATIENCE_S).topic_partitions
        committed = {(place.topic, place.partition): place.offset for place in told if place.offset >= 0}
        for (topic, number), end in ends_of(admin, committed).items():
            found[f"{group} {topic}/{number}"] = end - committed[topic, number]
        if not committed:
            found[f"{group} (no offset)"] = 1
    return found
