"""A member of a consumer group: one thread owns librdkafka's consumer, and what it reads is told a batch at a time."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tables.changelog import is_record

SESSION_MS = 6_000
HEARTBEAT_MS = 1_500
QUEUED_KILOBYTES = 16 * 1024
CLOSE_TIMEOUT_S = 30.0
MAX_FETCH, MAX_FETCH_OCTETS = 500, 16 * 1024 * 1024
"""Records are taken from librdkafka by so many, and no more when they are so large together."""

Place = tuple[str, int]
"""A topic and one of its partitions."""

T = TypeVar("T")
_NOT_OURS = (
    KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError._ASSIGNMENT_LOST,
)  # fmt: skip

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Record:
    """A record of one of the topics."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes


def group_consumer(bootstrap: str, group: str, **more: object) -> Consumer:
    """A consumer that commits nothing by itself and is missed after six seconds."""
    return Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": SESSION_MS,
        "heartbeat.interval.ms": HEARTBEAT_MS,
        "queued.max.messages.kbytes": QUEUED_KILOBYTES,
        "log_level": 3,
        **more,
    })  # fmt: skip


@dataclass(slots=True)
class Member:
    """`fetch`, `commit` and `consumer` belong to the thread: use them in `call`."""

    consumer: Consumer
    topics: Sequence[str]
    owned: set[Place] = field(default_factory=set)
    _lost: list[Place] = field(default_factory=list)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "kafka"))

    async def start(self) -> None:
        """Ask to join the group; the partitions come with later fetches."""
        await self.call(
            lambda: self.consumer.subscribe(list(self.topics), on_assign=self._assigned, on_revoke=self._revoked)
        )

    async def close(self) -> None:
        """Leave the group."""
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await self.call(self.consumer.close)
        self._thread.shutdown(wait=False)

    async def call(self, work: Callable[[], T]) -> T:
        """Do something in the thread, after all that was asked for before."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def fetch(self, most: int, wait_s: float, gather_s: float = 0) -> list[Record]:
        """Up to `most` records: wait for the first one, then gather more. KafkaException for what does not pass by itself."""
        first = self.consumer.poll(wait_s)
        messages = [] if first is None else [first]
        until_s = time.monotonic() + gather_s
        octets = 0
        while messages and len(messages) < most and octets < MAX_FETCH_OCTETS:
            wanted = min(most - len(messages), MAX_FETCH)
            more = self.consumer.consume(wanted, max(until_s - time.monotonic(), 0))
            octets += sum(len(message) for message in more)
            messages += more
            if len(more) < wanted:
                break
        return [record for message in messages if (record := self._record(message)) is not None]

    def commit(self, offsets: Mapping[Place, int]) -> None:
        """The places that are still ours have these offsets."""
        ours = [TopicPartition(*place, offset) for place, offset in offsets.items() if place in self.owned]
        if not ours:
            return
        try:
            self.consumer.commit(offsets=ours, asynchronous=False)
        except KafkaException as error:
            if error.args[0].code() not in _NOT_OURS:
                raise
            # the next owner does it again: told or written twice is the same as once
            log.info("commit_refused", reason=error.args[0].name())

    def lost(self) -> list[Place]:
        """The places that were given up since the last time."""
        lost, self._lost = self._lost, []
        return lost

    def _record(self, message: Message) -> Record | None:
        if not is_record(message):
            return None
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if topic is None or partition is None or offset is None or (topic, partition) not in self.owned:
            return None
        return Record(topic, partition, offset, message.key() or b"", message.value() or b"")

    def _assigned(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        self.owned.update((place.topic, place.partition) for place in places)

    def _revoked(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        gone = {(place.topic, place.partition) for place in places}
        self.owned -= gone
        self._lost += gone
