"""The Kafka driver: a plain synchronous loop on librdkafka that feeds the engine and commits what it made durable.

One consumer group of the new protocol over all topics that agents read; the range assignor gives partition n of each to
the same process, which then owns the tables of partition n. What the loop costs, and why it looks like this, is measured
in docs/adr/0001.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.codec import Codec
from streams.config_reader import ConfigReader
from streams.engine import Engine, Meter, Raw
from streams.node import Node, source_topics
from streams.outlet import DriverError, KafkaOutlet
from streams.parts import Parts
from streams.restore import changelog_ends, restore
from tables.changelog import ends_of, is_record
from tables.config import ConfigTable
from tables.partition import Partition
from tables.store import RocksStore

log = structlog.get_logger()

MAX_RECORDS_A_BATCH = 1_000
MAX_WAIT_MS = 100
BUSY_RECORDS = 16
BEAT_MS = 20
"""After a batch of so many records the next one begins a beat after it at the earliest: its cost is by batch and request,
not by record. A batch that took longer has gathered enough meanwhile."""
COMMIT_EVERY_MS = 200
CHECKPOINT_EVERY_MS = 10_000


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
            self._checkpoint()
        except BaseException:
            self._sound = False
            raise
        finally:
            self._consumer.close()
            for number in list(self.engine.partitions):
                self.engine.release(number)

    def _turn(self) -> None:
        self._outlet.turn.begin()
        first = self._consumer.poll(self._patience_s())
        gather_s = max(self._beat_at - time.monotonic(), 0)
        records = [] if first is None else [first, *self._consumer.consume(MAX_RECORDS_A_BATCH - 1, gather_s)]
        self._beat_at = time.monotonic() + BEAT_MS / 1000 if len(records) >= BUSY_RECORDS else 0.0
        self._config.poll()
        self.engine.step([raw for message in records if (raw := self._raw(message)) is not None], now_ms())
        now = time.monotonic()
        if now >= self._commit_at:
            self._commit_at = now + COMMIT_EVERY_MS / 1000
            self._commit()
        if now >= self._checkpoint_at:
            self._checkpoint_at = now + CHECKPOINT_EVERY_MS / 1000
            self._checkpoint()

    def _raw(self, message: Message) -> Raw | None:
        if not is_record(message):
            return None
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if topic is None or partition is None or offset is None or partition not in self.engine.partitions:
            return None
        return Raw(topic, partition, offset, message.key() or b"", message.value() or b"")

    def _patience_s(self) -> float:
        due = self.engine.next_due_ms()
        return MAX_WAIT_MS / 1000 if due is None else min(max(due - now_ms(), 0), MAX_WAIT_MS) / 1000

    def _commit(self) -> None:
        """Commit what is new; nothing waits for the answer."""
        positions = self.engine.positions()
        new = [TopicPartition(t, p, at) for (t, p), at in positions.items() if self._committed.get((t, p)) != at]
        if new:
            self._consumer.commit(offsets=new, asynchronous=True)
            self._committed.update(positions)

    def _commit_all(self) -> bool:
        """Commit everything and wait; false when there was nothing, DriverError when the group does not take it.

        It takes it only from a member whose partitions nobody else has had meanwhile.
        """
        offsets = [TopicPartition(t, p, at) for (t, p), at in self.engine.positions().items()]
        if not offsets:
            return False
        try:
            taken = self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise DriverError(f"the group took no commit: {error}") from error
        if refused := next((place.error for place in taken or () if place.error is not None), None):
            raise DriverError(f"the group took no commit: {refused}")
        return True

    def _checkpoint(self) -> None:
        """Remember how far each changelog is in the store.

        All that this process wrote there is acknowledged and applied. That nobody else wrote there before the ends were read
        is what the commit after it says: without it the rows of a successor would count as read, and be missing for ever.
        """
        found = changelog_ends(self._admin, self.engine.partitions)
        if not self._commit_all():
            return
        for number, ends in found.items():
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
        self._outlet.turn.begin(anew=True)

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Leave everything as it is durable, unless a batch failed: its rows may be on a changelog and not in the store."""
        if self._sound:
            try:
                self._checkpoint()
            except DriverError as error:
                log.warning("partitions_taken", reason=str(error))
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
