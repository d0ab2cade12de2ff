"""The memory driver: the same engine over topics in memory, in virtual time, with crashes where a test wants them.

One process, deterministic: records are read partition by partition in an order that a seed decides. A crash is an
exception out of the outlet; `Broker` keeps what was acknowledged, the driver forgets the rest, as a killed process does.
"""

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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


class CrashError(Exception):
    """The simulated process dies here."""


@dataclass(slots=True)
class Broker:
    """Topics in memory: what was acknowledged, and what each group committed. It outlives the drivers."""

    partitions: int = 2
    logs: dict[tuple[str, int], list[tuple[bytes, bytes | None, int]]] = field(default_factory=dict)
    committed: dict[tuple[str, int], int] = field(default_factory=dict)

    def append(
        self, topic: str, key: bytes, value: bytes | None, partition: int | None = None, version: int = 0
    ) -> None:
        """Add a record; its key decides the partition unless one is named."""
        single = topic in (CONFIG.name, CARRIERS.name)
        place = partition if partition is not None else 0 if single else zlib.crc32(key) % self.partitions
        self.logs.setdefault((topic, place), []).append((key, value, version))

    def records(self, topic: str) -> list[bytes]:
        """The values of a topic, partition by partition."""
        return [v for (t, _), log in sorted(self.logs.items()) if t == topic for _, v, _ in log if v is not None]


@dataclass(slots=True)
class MemoryOutlet:
    """Buffers what is sent until `flush`. `fault` is called before each record lands and may raise CrashError."""

    broker: Broker
    fault: Callable[[], None] = lambda: None
    _buffer: list[tuple[str, bytes, bytes | None, int | None, int]] = field(default_factory=list)

    def send(
        self, topic: str, key: bytes, value: bytes | None, partition: int | None = None, version: int | None = None
    ) -> None:
        """Buffer one record."""
        self._buffer.append((topic, key, value, partition, version or 0))

    def answer(self, topic: str, key: bytes, value: bytes, partition: int | None) -> None:
        """Let an answer land."""
        self.broker.append(topic, key, value, partition)

    def flush(self) -> None:
        """Let the buffered records land, in order."""
        for record in self._buffer:
            self.fault()
            self.broker.append(*record)
        self._buffer.clear()


class MemoryDriver:
    """Runs the pipeline over a Broker. A new driver over the same broker is a new process on an empty disk."""

    def __init__(
        self,
        nodes: Sequence[Node],
        parts: Parts,
        codec: Codec,
        broker: Broker,
        meter: Meter,
        seed: int = 0,
        fault: Callable[[], None] = lambda: None,
        stores: dict[int, Store] | None = None,
        owned: Sequence[int] | None = None,
    ) -> None:
        self.broker = broker
        self._codec = codec
        self._chance = random.Random(seed)  # noqa: S311 - a seed must give the same run again
        self._config = ConfigTable()
        self._config_read: dict[str, int] = {CONFIG.name: 0, CARRIERS.name: 0}
        self.engine = Engine(nodes, parts, codec, self._config, MemoryOutlet(broker, fault), meter, self._read_config)
        self._sources = source_topics(nodes)
        for number in owned if owned is not None else range(broker.partitions):
            self.engine.adopt(self._restore(number, (stores or {}).get(number) or MemoryStore()))
        self._read = {(t, p): broker.committed.get((t, p), 0) for t in self._sources for p in self.engine.partitions}

    def step(self, now_ms: int) -> int:
        """Do one batch of what is there; returns how many records it had."""
        self._read_config(0)
        batch: list[Raw] = []
        places = list(self._read)
        self._chance.shuffle(places)
        for topic, place in places:
            at = self._read[topic, place]
            log = self.broker.logs.get((topic, place), [])
            upto = min(len(log), at + self._chance.randint(1, MAX_RECORDS_A_BATCH))
            batch.extend(Raw(topic, place, offset, *_plain(log[offset])) for offset in range(at, upto))
            self._read[topic, place] = max(at, upto)
        count = self.engine.step(batch, now_ms)
        self.broker.committed.update(self.engine.positions())
        return count

    def settle(self, now_ms: int, most: int = 10_000) -> None:
        """Step until nothing is left to do at `now_ms`."""
        for _ in range(most):
            if not self.step(now_ms) and not self.behind():
                return
        raise RuntimeError(f"still busy after {most} batches")

    def behind(self) -> bool:
        """Whether records wait that have not been read."""
        return any(at < len(self.broker.logs.get(place, [])) for place, at in self._read.items())

    def _restore(self, number: int, store: Store) -> Partition:
        partition = Partition(number, store, self._codec)
        for topic in dict.fromkeys(t.changelog.name for t in TABLES):
            log = self.broker.logs.get((topic, number), [])
            partition.restore((topic, key, value, version) for key, value, version in log)
        partition.load_timers()
        return partition

    def _read_config(self, version: int) -> None:
        for topic in (CONFIG.name, CARRIERS.name):
            log = self.broker.logs.get((topic, 0), [])
            for offset in range(self._config_read[topic], len(log)):
                key, value, _ = log[offset]
                self._config.feed(topic, key.decode(), None if value is None else self._codec.decode(value), offset + 1)
            self._config_read[topic] = len(log)
        if self._config.version < version:
            raise CrashError(f"configuration {version} is not there")


def _plain(record: tuple[bytes, bytes | None, int]) -> tuple[bytes, bytes]:
    return record[0], record[1] or b""
