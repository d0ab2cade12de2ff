"""The surroundings of an egress lane in memory: a reader with batches, a publisher that keeps its story, a scripted carrier."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.delivery import AttemptDue, Outcome
from egress.group import Place, Record
from egress.reader import Turn
from schemas.codec import Codec
from schemas.topics import Topic


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
class FakeReader:
    """Gives the batches that were put in, then nothing; `held` are the topics it was asked to hold at last."""

    batches: list[list[Record]] = field(default_factory=list)
    committed: dict[Place, int] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    lost: list[Place] = field(default_factory=list)

    def put(self, *records: Record) -> None:
        """One batch, of one topic."""
        self.batches.append(list(records))

    async def turn(self, held: frozenset[str]) -> Turn:
        """The next batch if its topic is not held."""
        await asyncio.sleep(0)
        self.held = held
        lost, self.lost = self.lost, []
        if self.batches and self.batches[0][0].topic not in held:
            return Turn(self.batches.pop(0), lost)
        return Turn((), lost)

    async def commit(self, offsets: Mapping[Place, int]) -> None:
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
