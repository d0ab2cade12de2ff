"""The memory driver: the same engine over topics in memory, in virtual time, with faults where a test wants them.

One process, deterministic: what is chance comes from a seed. A crash is an exception at one of the moments of a batch;
`Broker` keeps what had landed, the driver forgets the rest, as a killed process does.
"""

import random
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from schemas.codec import Codec
from schemas.topics import CARRIERS, CONFIG
from streams.engine import Engine, Meter, Raw
from streams.node import Node, source_topics
from streams.parts import Parts
from tables.catalogue import TABLES
from tables.config import ConfigTable
from tables.partition import Partition
from tables.store import MemoryStore, Store

MAX_RECORDS_A_BATCH = 100
CHANGELOGS: tuple[str, ...] = tuple(dict.fromkeys(t.changelog.name for t in TABLES))

Moment = Literal["landing", "answering", "committing", "committed"]
"""When a fault may happen: before a record lands, before an answer lands, before and after offsets are committed."""

Fault = Callable[[Moment], None]
"""Called at each moment; it may raise CrashError, and LostError before an answer lands."""


class CrashError(Exception):
    """The simulated process dies here."""


class LostError(Exception):
    """The answer is lost on its way, and nobody notices."""


def no_fault(_: Moment) -> None:
    """Nothing happens."""


class Record(NamedTuple):
    """A record as the broker keeps it. `number` counts all records in the order in which they landed."""

    key: bytes
    value: bytes | None
    version: int
    at_ms: int
    number: int


@dataclass(slots=True)
class Broker:
    """Topics in memory: what was acknowledged, and what each group committed. It outlives the drivers."""

    partitions: int = 2
    now_ms: int = 0
    landed: int = 0
    logs: dict[tuple[str, int], list[Record]] = field(default_factory=dict)
    committed: dict[tuple[str, int], int] = field(default_factory=dict)

    def place(self, topic: str, key: bytes, partition: int | None) -> tuple[str, int]:
        """Where a record goes: its key decides the partition unless one is named."""
        if partition is None:
            partition = 0 if topic in (CONFIG.name, CARRIERS.name) else zlib.crc32(key) % self.partitions
        return topic, partition

    def append(
        self, topic: str, key: bytes, value: bytes | None, partition: int | None = None, version: int = 0
    ) -> None:
        """Add a record."""
        log = self.logs.setdefault(self.place(topic, key, partition), [])
        log.append(Record(key, value, version, self.now_ms, self.landed))
        self.landed += 1

    def records(self, topic: str) -> list[bytes]:
        """The values of a topic, partition by partition."""
        return [r.value for (t, _), log in sorted(self.logs.items()) if t == topic for r in log if r.value is not None]


@dataclass(slots=True)
class MemoryOutlet:
    """Buffers what is sent until `flush`, which lets it land in order within a partition, and in any order over them."""

    broker: Broker
    chance: random.Random
    fault: Fault = no_fault
    _buffer: dict[tuple[str, int], deque[tuple[bytes, bytes | None, int]]] = field(default_factory=dict)

    def send(
        self, topic: str, key: bytes, value: bytes | None, partition: int | None = None, version: int | None = None
    ) -> None:
        """Buffer one record."""
        place = self.broker.place(topic, key, partition)
        self._buffer.setdefault(place, deque()).append((key, value, version or 0))

    def answer(self, topic: str, key: bytes, value: bytes, partition: int | None) -> None:
        """Let an answer land."""
        with suppress(LostError):
            self.fault("answering")
            self.broker.append(topic, key, value, partition)

    def flush(self) -> None:
        """Let the buffered records land."""
        places = list(self._buffer)
        while places:
            at = int(self.chance.random() * len(places))
            topic, number = places[at]
            waiting = self._buffer[topic, number]
            self.fault("landing")
            key, value, version = waiting.popleft()
            self.broker.append(topic, key, value, number, version)
            if not waiting:
                places[at] = places[-1]
                places.pop()
        self._buffer.clear()


class MemoryDriver:
    """Runs the pipeline over a Broker. A new driver over the same broker is a new process."""

    def __init__(
        self,
        nodes: Sequence[Node],
        parts: Parts,
        codec: Codec,
        broker: Broker,
        meter: Meter,
        seed: int = 0,
        fault: Fault = no_fault,
        stores: dict[int, Store] | None = None,
        owned: Iterable[int] | None = None,
        pace: tuple[int, int] = (1, MAX_RECORDS_A_BATCH),
        commit_every: int = 1,
    ) -> None:
        """Own `owned` (all partitions if None), each on its store of `stores` or on an empty one.

        A batch takes between `pace[0]` and `pace[1]` records of each topic partition; every `commit_every` batches the
        offsets are committed.
        """
        self.broker = broker
        self.fault = fault
        self._codec = codec
        self._pace = pace
        self._commit_every = commit_every
        self._batches = 0
        self._chance = random.Random(seed)  # noqa: S311 - a seed must give the same run again
        self._config = ConfigTable()
        self._config_read: dict[str, int] = {CONFIG.name: 0, CARRIERS.name: 0}
        outlet = MemoryOutlet(broker, self._chance, fault)
        self.engine = Engine(nodes, parts, codec, self._config, outlet, meter, self._read_config)
        self._sources = source_topics(nodes)
        self._read: dict[tuple[str, int], int] = {}
        for number in range(broker.partitions) if owned is None else owned:
            self.adopt(number, (stores or {}).get(number) or MemoryStore())

    def adopt(self, number: int, store: Store) -> None:
        """Own a partition from now on; `store` may be empty or have what it had when it was used last."""
        partition = Partition(number, store, self._codec)
        start = store.checkpoint()
        for topic in CHANGELOGS:
            log = self.broker.logs.get((topic, number), [])
            partition.restore((topic, r.key, r.value, r.version) for r in log[start.get(topic, 0) :])
        partition.load_timers()
        self.engine.adopt(partition)
        self._read.update({(t, number): self.broker.committed.get((t, number), 0) for t in self._sources})

    def release(self, number: int) -> None:
        """Own a partition no longer; all of its work is committed."""
        self.commit()
        self.checkpoint()
        self.engine.release(number)
        self._read = {place: at for place, at in self._read.items() if place[1] != number}

    def step(self, now_ms: int) -> int:
        """Do one batch of what is there; returns how many records it had."""
        self._read_config(0)
        batch: list[Raw] = []
        places = [(place, at) for place, at in self._read.items() if at < len(self.broker.logs.get(place, ()))]
        self._chance.shuffle(places)
        for (topic, number), at in places:
            log = self.broker.logs[topic, number]
            upto = min(len(log), at + self._chance.randint(*self._pace))
            batch.extend(Raw(topic, number, n, log[n].key, log[n].value or b"") for n in range(at, upto))
            self._read[topic, number] = upto
        count = self.engine.step(batch, now_ms)
        self._batches += 1
        if self._batches % self._commit_every == 0:
            self.commit()
        return count

    def commit(self) -> None:
        """Commit what is durable."""
        self.fault("committing")
        self.broker.committed.update(self.engine.positions())
        self.fault("committed")

    def checkpoint(self) -> None:
        """Remember in each store how far its changelogs have been applied."""
        for number, partition in self.engine.partitions.items():
            ends = {topic: len(self.broker.logs.get((topic, number), ())) for topic in CHANGELOGS}
            partition.store.set_checkpoint(ends)

    def settle(self, now_ms: int, most: int = 10_000) -> None:
        """Step until nothing is left to do at `now_ms`."""
        for _ in range(most):
            if not self.step(now_ms) and not self.behind():
                return
        raise RuntimeError(f"still busy after {most} batches")

    def behind(self) -> bool:
        """Whether records wait that have not been read."""
        return any(at < len(self.broker.logs.get(place, ())) for place, at in self._read.items())

    def _read_config(self, version: int) -> None:
        for topic, start in self._config_read.items():
            log = self.broker.logs.get((topic, 0), [])
            for offset in range(start, len(log)):
                key, value = log[offset].key.decode(), log[offset].value
                self._config.feed(topic, key, None if value is None else self._codec.decode(value), offset + 1)
            self._config_read[topic] = len(log)
        if self._config.version < version:
            raise CrashError(f"configuration {version} is not there")
