"""Reads what came to a topic since a mark, after a run, so that reading costs the run nothing."""

import time
from collections.abc import Iterator
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.topics import Topic
from streams.bench.result import BenchError
from tables.changelog import changelog_reader, ends_of

FETCH_WAIT_MS: Final = 100
BATCH_RECORDS: Final = 1_000
POLL_S: Final = 0.2
PATIENCE_S: Final = 60.0

Places = dict[int, int]
"""An offset of each partition."""


def ends(bootstrap: str, topic: Topic, partitions: int) -> Places:
    """Where each partition of a topic ends now."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    return {number: end for (_, number), end in ends_of(admin, [(topic.name, n) for n in range(partitions)]).items()}


def records(bootstrap: str, topic: Topic, since: Places) -> Iterator[tuple[bytes, int]]:
    """Value and time (milliseconds since 1970) of each record from a mark to the present end; BenchError."""
    upto = ends(bootstrap, topic, len(since))
    left = {number for number, end in upto.items() if end > since[number]}
    reader = changelog_reader(bootstrap, FETCH_WAIT_MS)
    reader.assign([TopicPartition(topic.name, number, since[number]) for number in left])
    deadline = time.monotonic() + PATIENCE_S
    try:
        while left:
            for message in reader.consume(BATCH_RECORDS, POLL_S):
                error, number, offset, value = message.error(), message.partition(), message.offset(), message.value()
                if error is not None:
                    if error.name() != "_PARTITION_EOF":
                        raise KafkaException(error)
                elif number is not None and offset is not None and value is not None:
                    yield value, message.timestamp()[1]
                    if offset + 1 >= upto[number]:
                        left.discard(number)
            if time.monotonic() > deadline:
                raise BenchError(f"{topic.name} could not be read to its end in {PATIENCE_S:g} s")
    finally:
        reader.close()
