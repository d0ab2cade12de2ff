"""How the pipeline writes to Kafka: a producer whose records are durable when it says so, and an outlet that minds its age."""

import math
import time
from collections.abc import Callable

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


class Turn:
    """A turn of the driver's loop, from one `begin` to the next, and how long it may take.

    A process that stood still for longer than MAX_TURN_MS may have been replaced, and what it decided must not land after
    what its successor decided.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._until_s = math.inf

    def begin(self, *, anew: bool = False) -> None:
        """A turn begins now; `anew` when the one before was of another kind, which may take its time. DriverError as `check`."""
        if not anew:
            self.check()
        self._until_s = self._clock_s() + MAX_TURN_MS / 1000

    def check(self) -> None:
        """DriverError when the turn has taken too long already."""
        if self._clock_s() > self._until_s:
            raise DriverError(f"a turn took more than {MAX_TURN_MS} ms: the partitions may have another owner")


class KafkaOutlet:
    """Sends to Kafka, within a turn. An error reported for any record makes the next flush raise."""

    def __init__(self, bootstrap: str) -> None:
        self.turn = Turn()
        self._failed: str | None = None
        self._answers = producer(bootstrap, 0, on_delivery=self._report)
        self._producer = producer(bootstrap, LINGER_MS, on_delivery=self._report)

    def send(
        self, topic: str, key: bytes, value: bytes | None, partition: int | None = None, version: int | None = None
    ) -> None:
        """Hand one record to librdkafka; a full queue waits."""
        self.turn.check()
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
        self.turn.check()
        self._answers.produce(topic, value, key, -1 if partition is None else partition)

    def flush(self) -> None:
        """Wait for every acknowledgement."""
        self._answers.poll(0)
        left = self._producer.flush(FLUSH_TIMEOUT_S)
        if left:
            raise DriverError(f"{left} records were not acknowledged in {FLUSH_TIMEOUT_S} s")
        if self._failed:
            raise DriverError(f"a record was not acknowledged: {self._failed}")

    def _report(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed = f"{message.topic()}: {error}"
