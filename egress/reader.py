"""Reads attempts in batches for the lanes.

A lane that is full is held: its records are kept here, and when too many are, its partitions are paused; the others go on.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import TopicPartition

from egress.group import Member, Place, Record

MAX_BATCH = 500
POLL_S = 0.1
HELD_POLL_S = 0.01
"""While a lane is held: it is let go again between two turns."""
MAX_KEPT = 4_000
MAX_KEPT_OCTETS = 8 * 1024 * 1024
LOW = 4
"""A paused topic goes on when a fourth of that is left: librdkafka takes up to a second to fetch again."""


@dataclass(frozen=True, slots=True)
class Turn:
    """New records, in order within a partition, and the places that were given up before they came."""

    records: Sequence[Record] = ()
    lost: Sequence[Place] = ()


@dataclass(slots=True)
class _Kept:
    """The records of a topic that have been read and not handed over."""

    records: deque[Record] = field(default_factory=deque)
    octets: int = 0
    paused: bool = False

    def add(self, record: Record) -> None:
        self.records.append(record)
        self.octets += len(record.value)

    def take(self) -> list[Record]:
        taken = [self.records.popleft() for _ in range(min(MAX_BATCH, len(self.records)))]
        self.octets -= sum(len(record.value) for record in taken)
        return taken

    def drop(self, gone: set[Place]) -> None:
        self.records = deque(r for r in self.records if (r.topic, r.partition) not in gone)
        self.octets = sum(len(r.value) for r in self.records)
        self.paused = False  # a partition comes back unpaused

    def too_many(self) -> bool:
        share = LOW if self.paused else 1
        return len(self.records) * share > MAX_KEPT or self.octets * share > MAX_KEPT_OCTETS


@dataclass(slots=True)
class AttemptReader:
    """The lanes' end of a consumer group."""

    member: Member
    _kept: dict[str, _Kept] = field(default_factory=dict)

    async def turn(self, held: frozenset[str]) -> Turn:
        """What there is on topics that are not held; waits POLL_S at most. KafkaException for what does not pass by itself."""
        return await self.member.call(lambda: self._turn(held))

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """The places that are still ours have these offsets."""
        await self.member.call(lambda: self.member.commit(offsets))

    def _turn(self, held: frozenset[str]) -> Turn:
        ready = any(kept.records for topic, kept in self._kept.items() if topic not in held)
        fetched = self.member.fetch(MAX_BATCH, 0 if ready else HELD_POLL_S if held else POLL_S)
        if lost := self.member.lost():
            for kept in self._kept.values():
                kept.drop(set(lost))
        for record in fetched:
            self._kept.setdefault(record.topic, _Kept()).add(record)
        records = [record for topic, kept in self._kept.items() if topic not in held for record in kept.take()]
        self._set_pace()
        return Turn(records, lost)

    def _set_pace(self) -> None:
        for topic, kept in self._kept.items():
            if kept.too_many() == kept.paused:
                continue
            kept.paused = not kept.paused
            places = [TopicPartition(*place) for place in self.member.owned if place[0] == topic]
            if kept.paused:
                self.member.consumer.pause(places)
            else:
                self.member.consumer.resume(places)
