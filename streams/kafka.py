"""The Kafka driver: a plain synchronous loop on librdkafka that feeds the engine and commits what it made durable.

One consumer group of the new protocol over all topics that agents read; the range assignor gives partition n of each to
the same process, which then owns the tables of partition n. What the loop costs, and why it looks like this, is measured
in docs/adr/0001.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.codec import Codec
from streams.config_reader import ConfigReader
from streams.engine import Engine, Meter, Raw
from streams.node import Node, source_topics
from streams.parts import Parts
from streams.restore import changelog_ends, restore
from tables.changelog import ends_of
from tables.config import ConfigTable
from tables.partition import Partition
from tables.store import RocksStore

log = structlog.get_logger()

MAX_RECORDS_A_BATCH = 1_000
MAX_WAIT_MS = 100
BUSY_RECORDS = 16
BEAT_MS = 10
"""After a batch of so many records the next one begins a beat after it at the earliest: its cost is by batch and request,
not by record. A batch that took longer has gathered enough meanwhile."""
COMMIT_EVERY_MS = 200
CHECKPOINT_EVERY_MS = 10_000
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


class KafkaDriver:
    """The pipeline of one process. `run` returns when `stop` says so, and raises when anything fails."""

    def __init__(
        self,
        nodes: Sequence[Node],
        parts: Parts,
        codec: Codec,
        bootstrap: str,
        state: Path,
        meter: Meter,
        group: str = "hermes.pipeline",
    ) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._codec = codec
        self._state = state
        self._meter = meter
        config = ConfigTable()
        self._config = ConfigReader(bootstrap, codec, config)
        self._outlet = KafkaOutlet(bootstrap)
        self.engine = Engine(nodes, parts, codec, config, self._outlet, meter, self._config.catch_up)
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
        self._topics = source_topics(nodes)
        self._owned: dict[int, set[str]] = {}
        self._sound = True
        self._beat_at = 0.0
        self._committed: dict[tuple[str, int], int] = {}
        self._commit_at = self._checkpoint_at = 0.0
        self._consumer = Consumer({
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "group.protocol": "consumer",
            "group.remote.assignor": "range",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": MAX_WAIT_MS,
            "queued.max.messages.kbytes": 16 * 1024,
            "log_level": 3,
        })  # fmt: skip

    def run(self, stop: Callable[[], bool], ready: Callable[[], None] = lambda: None) -> None:
        """Work until `stop`; then commit, checkpoint and leave the group."""
        self._config.catch_up_to_end()
        self._consumer.subscribe(
            list(self._topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        announced = False
        try:
            while not stop():
                self._turn()
                if self._owned and not announced:
                    announced = True
                    ready()
            self._commit(asynchronous=False)
            self._checkpoint()
        except BaseException:
            self._sound = False
            raise
        finally:
            self._consumer.close()
            for number in list(self.engine.partitions):
                self.engine.release(number)

    def _turn(self) -> None:
        self._outlet.begin()
        first = self._consumer.poll(self._patience_s())
        gather_s = max(self._beat_at - time.monotonic(), 0)
        records = [] if first is None else [first, *self._consumer.consume(MAX_RECORDS_A_BATCH - 1, gather_s)]
        self._beat_at = time.monotonic() + BEAT_MS / 1000 if len(records) >= BUSY_RECORDS else 0.0
        self._config.poll()
        self.engine.step([raw for message in records if (raw := self._raw(message)) is not None], now_ms())
        now = time.monotonic()
        if now >= self._commit_at:
            self._commit_at = now + COMMIT_EVERY_MS / 1000
            self._commit(asynchronous=True)
        if now >= self._checkpoint_at:
            self._checkpoint_at = now + CHECKPOINT_EVERY_MS / 1000
            self._checkpoint()

    def _raw(self, message: Message) -> Raw | None:
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF or error.retriable():
                return None
            raise KafkaException(error)
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if topic is None or partition is None or offset is None or partition not in self.engine.partitions:
            return None
        return Raw(topic, partition, offset, message.key() or b"", message.value() or b"")

    def _patience_s(self) -> float:
        due = self.engine.next_due_ms()
        return MAX_WAIT_MS / 1000 if due is None else min(max(due - now_ms(), 0), MAX_WAIT_MS) / 1000

    def _commit(self, *, asynchronous: bool) -> None:
        positions = self.engine.positions()
        new = [TopicPartition(t, p, at) for (t, p), at in positions.items() if self._committed.get((t, p)) != at]
        if new:
            if asynchronous:
                self._consumer.commit(offsets=new, asynchronous=True)
            else:
                self._consumer.commit(offsets=new, asynchronous=False)
            self._committed.update(positions)

    def _checkpoint(self) -> None:
        """Remember how far each changelog is in the store; all that this process wrote there is acknowledged and applied."""
        for number, ends in changelog_ends(self._admin, self.engine.partitions).items():
            self.engine.partitions[number].store.set_checkpoint(ends)
        read = self.engine.positions()
        lag = dict.fromkeys(self._topics, 0)
        for (topic, number), end in ends_of(self._admin, read).items():
            lag[topic] += end - read[topic, number]
        for topic, behind in lag.items():
            self._meter.set("hermes_consumer_lag_records", behind, group=self._group, topic=topic)

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for place in partitions:
            if place.partition not in self._owned:
                store = RocksStore(self._state / f"partition-{place.partition}")
                partition = Partition(place.partition, store, self._codec)
                restored, took_ms = restore(self._bootstrap, partition)
                timers = partition.load_timers()
                self.engine.adopt(partition)
                self._meter.count("hermes_pipeline_restored_rows_total", restored, table="all")
                self._meter.set("hermes_pipeline_restore_seconds", took_ms / 1000, partition=str(place.partition))
                log.info(
                    "partition_owned", partition=place.partition, restored=restored, timers=timers, took_ms=took_ms
                )
            self._owned.setdefault(place.partition, set()).add(place.topic)
        self._outlet.begin(anew=True)

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Leave everything as it is durable, unless a batch failed: its rows may be on a changelog and not in the store."""
        if self._sound:
            self._commit(asynchronous=False)
            self._checkpoint()
        self._give_up(partitions)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._give_up(partitions)

    def _give_up(self, partitions: list[TopicPartition]) -> None:
        for place in partitions:
            topics = self._owned.get(place.partition, set())
            topics.discard(place.topic)
            self._committed.pop((place.topic, place.partition), None)
            if not topics and place.partition in self._owned:
                del self._owned[place.partition]
                self.engine.release(place.partition)
                log.info("partition_given_up", partition=place.partition)


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000
