"""How a process reads what it must know in full: a consumer without a group, and where topic partitions end."""

import time
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its stubs do not export it

PATIENCE_S = 30.0
RETRY_S = 0.1
RESTORE_WAIT_MS = 10
"""How long a fetch of a restore waits for records: it ends as soon as there are none."""
_PASSING = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART)
"""What a broker says of a partition that it is just taking over."""


def ends_of(admin: AdminClient, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The end offsets of topic partitions, asked for in one request; a partition without a leader is asked for again.

    Never ask a consumer that fetches: the broker answers a connection's requests in turn, so the question would wait for
    the long poll before it.
    """
    latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its stubs have no types
    wanted = {TopicPartition(topic, number): latest for topic, number in places}
    deadline = time.monotonic() + PATIENCE_S
    while wanted:
        try:
            answers = {place: answer.result(PATIENCE_S).offset for place, answer in admin.list_offsets(wanted).items()}
        except KafkaException as error:
            if time.monotonic() > deadline or error.args[0].code() not in _PASSING:
                raise
            time.sleep(RETRY_S)
        else:
            return {(place.topic, place.partition): end for place, end in answers.items()}
    return {}


def is_record(message: Message) -> bool:
    """Whether a consumer's message is a record; KafkaException for an error that does not pass by itself."""
    error = message.error()
    if error is None:
        return True
    if error.code() == KafkaError._PARTITION_EOF or error.retriable():
        return False
    raise KafkaException(error)


def changelog_reader(bootstrap: str, fetch_wait_ms: int) -> Consumer:
    """A consumer without a group: it is assigned by hand and never commits. A fetch waits `fetch_wait_ms` for records."""
    return Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "hermes.restore",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": fetch_wait_ms,
        "log_level": 3,
    })  # fmt: skip
