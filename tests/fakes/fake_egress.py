"""The surroundings of an egress lane in memory: a consumer with batches, a publisher that keeps its story, a scripted carrier."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition

from domain.delivery import AttemptDue, Outcome
from schemas.codec import Codec
from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class FakeRecord:
    """A record of a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes


@dataclass(slots=True)
class FakePublisher:
    """Everything is durable at once. `story` is shared with the carrier: what happened, in its order."""

    codec: Codec
    story: list[tuple[str, Any]] = field(default_factory=list)
    error: Exception | None = None

    async def publish(self, topic: Topic, key: str, value: Any) -> None:
        """Publish a value, or a tombstone for None."""
        await self.publish_octets(topic, [(key, None if value is None else self.codec.encode(value))])

    async def publish_octets(self, topic: Topic, records: Iterable[tuple[str, bytes | None]]) -> None:
        """Publish encoded values."""
        if self.error is not None:
            raise self.error
        for _, octets in records:
            self.story.append((topic.name, None if octets is None else self.codec.decode(octets)))
        await asyncio.sleep(0)

    def on(self, topic: Topic) -> list[Any]:
        """The values of one topic."""
        return [value for name, value in self.story if name == topic.name]


@dataclass(slots=True)
class FakeConsumer:
    """Gives the batches that were put in, then nothing."""

    batches: list[dict[TopicPartition, list[FakeRecord]]] = field(default_factory=list)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    _paused: set[TopicPartition] = field(default_factory=set)
    _assigned: set[TopicPartition] = field(default_factory=set)

    def put(self, *records: FakeRecord) -> None:
        """One batch."""
        batch: dict[TopicPartition, list[FakeRecord]] = {}
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            self._assigned.add(place)
            batch.setdefault(place, []).append(record)
        self.batches.append(batch)

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[FakeRecord]]:
        """The next batch of partitions that are not paused."""
        await asyncio.sleep(0)
        if self.batches and not set(self.batches[0]) & self._paused:
            return self.batches.pop(0)
        return {}

    def assignment(self) -> set[TopicPartition]:
        """All partitions that were ever put in."""
        return self._assigned

    def paused(self) -> set[TopicPartition]:
        """Those that are paused."""
        return set(self._paused)

    def pause(self, place: TopicPartition) -> None:
        """Give nothing of it."""
        self._paused.add(place)

    def resume(self, place: TopicPartition) -> None:
        """Give of it again."""
        self._paused.discard(place)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Keep the offsets."""
        self.committed.update(offsets)


@dataclass(slots=True)
class FakeCarrier:
    """Answers with the outcomes in turn, the last for ever; `hold` keeps every answer back."""

    story: list[tuple[str, Any]]
    outcomes: list[Outcome]
    hold: asyncio.Event | None = None

    async def send(self, attempt: AttemptDue) -> Outcome:
        """Take the attempt."""
        self.story.append(("carrier", (attempt.message_id, attempt.attempt)))
        if self.hold is not None:
            await self.hold.wait()
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
