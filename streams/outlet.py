"""How the pipeline writes to Kafka: a producer whose records are durable when it says so, and an outlet that minds its age."""

import math
import time

from confluent_kafka import KafkaError, Message, Producer

FLUSH_TIMEOUT_S = 30.0
MESSAGE_TIMEOUT_MS = 5_000
"""Below the session time-out of the group: a paused process cannot write after it was replaced."""
MAX_TURN_MS = 5_000
LINGER_MS = 20
"""Longer than a batch takes to be sent: `flush` ignores it, so each partition's records leave in one request."""
PARTITIONER = "murmur2_random"
"""The Java client's way, which aiokafka has too: a key falls into the same partition whoever writes it."""


class DriverError(Exception):
    """Work could not be made durable; the process must end and do it again."""


def producer(bootstrap: str, linger_ms: int = 5, **more: object) -> Producer:
    """A producer with idempotence whose records are durable when `flush` returned and no error was reported."""
    return Producer({
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,
        "linger.ms": linger_ms,
        "delivery.report.only.error": True,
        "message.timeout.ms": MESSAGE_TIMEOUT_MS,
        "partitioner": PARTITIONER,
        "message.max.bytes": 2 * 1024 * 1024,
        "queue.buffering.max.messages": 200_000,
        "log_level": 3,
        **more,
    })  # fmt: skip


class KafkaOutlet:
    """Sends to Kafka. An error reported for any record makes the next flush raise.

    From one `begin` to the next no more than MAX_TURN_MS may pass: a process that stood still for longer may have been
    replaced, and what it decided must not land after what its successor decided.
    """

    def __init__(self, bootstrap: str) -> None:
        self._failed: str | None = None
        self._until_s = math.inf
        self._answers = producer(bootstrap, 0, on_delivery=self._report)
        self._producer = producer(bootstrap, LINGER_MS, on_delivery=self._report)

    def begin(self, *, anew: bool = False) -> None:
        """A turn of the loop begins now; `anew` when the one before was of another kind, which may take its time."""
        if not anew:
            self._check_age()
        self._until_s = time.monotonic() + MAX_TURN_MS / 1000

    def send(
        self, topic: str, key: bytes, value: bytes | None, partition: int | None = None, version: int | None = None
    ) -> None:
        """Hand one record to librdkafka; a full queue waits."""
        self._check_age()
        headers: list[tuple[str, str | bytes | None]] | None = None
        if version is not None:
            headers = [("version", version.to_bytes(8, "big"))]
        while True:
            try:
                self._producer.produce(topic, value, key, -1 if partition is None else partition, headers=headers)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def answer(self, topic: str, key: bytes, value: bytes, partition: int | None) -> None:
        """Hand an answer to librdkafka, which sends it at once; what becomes of it is seen at a later flush."""
        self._check_age()
        self._answers.produce(topic, value, key, -1 if partition is None else partition)

    def flush(self) -> None:
        """Wait for every acknowledgement."""
        self._answers.poll(0)
        left = self._producer.flush(FLUSH_TIMEOUT_S)
        if left:
            raise DriverError(f"{left} records were not acknowledged in {FLUSH_TIMEOUT_S} s")
        if self._failed:
            raise DriverError(f"a record was not acknowledged: {self._failed}")

    def _check_age(self) -> None:
        if time.monotonic() > self._until_s:
            raise DriverError(f"a turn took more than {MAX_TURN_MS} ms: the partitions may have another owner")

    def _report(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed = f"{message.topic()}: {error}"
