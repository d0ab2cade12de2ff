"""Runs the topology over batches, the same on every driver: handle, make durable in waves, apply, let it be committed.

Order of a batch (see `streams/node.py` for why there are two kinds of agent):
1. handle every record in the order of its partition, staging rows and outputs;
2. wave one: outputs of the agents that are `outputs` first, rows of those that are `state` first; await every ack;
3. wave two: the other rows and outputs; await every ack;
4. the answers to gateways, without waiting: whoever hears of a message finds it on its topic, and who hears nothing asks
   again;
5. apply the rows to the local stores; only then may the offsets be committed.
Anything that fails raises; the process ends and the batch is done again.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agents.context import Agent, Edge, SummingAgent
from domain.cascade.events import TimerFired
from domain.evolve import quick
from schemas.codec import Codec, UnreadableError
from schemas.rows import DeadRecord
from schemas.topics import CASCADE, DEADLETTERS, VERDICTS, Topic
from streams.node import Node
from streams.parts import Parts
from streams.sums import Sums
from tables.catalogue import Table
from tables.config import ConfigTable
from tables.partition import Partition

MAX_TIMERS_A_BATCH = 500
MAX_EXPIRED_A_BATCH = 500
MAX_EXPECTED = 4_000
MAX_EXPECTED_OCTETS = 4_096
"""Larger ones are rather read again than kept."""
EXPIRE_EVERY_MS = 1_000


@quick
@dataclass(frozen=True, slots=True)
class Raw:
    """A record as it comes from a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes


class Outlet(Protocol):
    """Where records go. `flush` returns when everything sent before is durable, or raises."""

    def send(
        self, topic: str, key: bytes, value: bytes | None, partition: int | None = None, version: int | None = None
    ) -> None:
        """Send one record; without `partition` its key decides."""
        ...

    def flush(self) -> None:
        """Wait until all is acknowledged."""
        ...

    def answer(self, topic: str, key: bytes, value: bytes, partition: int | None) -> None:
        """Send a record at once and wait for nothing: who asked asks again when it gets lost."""
        ...


class Meter(Protocol):
    """Where counts go."""

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, metric: str, value: float, **labels: str) -> None:
        """Observe a value."""
        ...

    def set(self, metric: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        ...


Output = tuple[str, bytes, Any, int | None]


class Engine:
    """The topology at work in one process, over the partitions that it owns."""

    def __init__(
        self,
        nodes: Sequence[Node],
        parts: Parts,
        codec: Codec,
        config: ConfigTable,
        outlet: Outlet,
        meter: Meter,
        catch_up: Callable[[int], None],
    ) -> None:
        self.codec = codec
        self.config = config
        self.carriers = config.carriers
        self.partitions: dict[int, Partition] = {}
        self._catch_up = catch_up
        self._outlet = outlet
        self._meter = meter
        self._agents: dict[str, tuple[Agent, Node]] = {}
        for node in nodes:
            made = (node.make(parts), node)
            self._agents.update((source.name, made) for source in node.reads)
        self._summing = [(made, node) for made, node in self._agents.values() if isinstance(made, SummingAgent)]
        self._state_first = {t.name for n in nodes if n.durable_first == "state" for t in n.tables}
        self._wave_one: list[Output] = []
        self._wave_two: list[Output] = []
        self._answers: list[Output] = []
        self._positions: dict[tuple[str, int], int] = {}
        self._read: dict[tuple[str, int], int] = {}
        self._encoded: dict[int, tuple[Any, bytes]] = {}  # by identity; the value is kept so that its id stays its own
        self._known: dict[bytes, Any] = {}
        self._sums = Sums()
        self._expire_at_ms = 0
        # the record that is being handled
        self._partition: Partition | None = None
        self._node: Node | None = None
        self.offset = 0

    # --- what agents see (agents.context.Context) ---

    def get(self, table: Table[Any], key: str) -> Any:
        """A row of the partition of the record."""
        return self._own().get(table, key)

    def put(self, table: Table[Any], key: str, row: Any) -> None:
        """Stage a row."""
        self._own().put(table, key, row, self.offset)

    def delete(self, table: Table[Any], key: str) -> None:
        """Stage a removal."""
        self._own().delete(table, key, self.offset)

    def emit(self, to: Topic | Edge, key: str, value: Any, partition: int | None = None) -> None:
        """Call the agent behind a fused edge, or stage an output for a topic."""
        caller = self._node
        if isinstance(to, Edge):
            agent, self._node = self._agents[to.name]
            agent.handle(value, self)
            self._node = caller
            return
        wave = self._wave_two
        if to.name == VERDICTS.name:
            wave = self._answers
        elif caller is not None and caller.durable_first == "outputs":
            wave = self._wave_one
        wave.append((to.name, key.encode(), value, partition))

    def encode(self, value: Any) -> bytes:
        """The octets of a value, made once a batch."""
        known = self._encoded.get(id(value))
        if known is None:
            known = self._encoded[id(value)] = (value, self.codec.encode(value))
            self._expect(value, known[1])
        return known[1]

    def decode(self, octets: bytes) -> Any:
        """The value of octets, which it keeps for the batch; what was encoded here lately is not read again."""
        value = self._known.pop(octets, None) or self.codec.decode(octets)
        self._encoded[id(value)] = (value, octets)
        return value

    def catch_up(self, version: int) -> None:
        """Read the configuration until it has at least this version."""
        if self.config.version < version:
            self._catch_up(version)

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Count something; the meter is told at the end of the batch."""
        self._sums.count(metric, amount, labels)

    def gauge(self, metric: str, value: float, **labels: str) -> None:
        """Set a gauge; the meter is told the last value at the end of the batch."""
        self._sums.gauge(metric, value, labels)

    def observe(self, metric: str, value: float, **labels: str) -> None:
        """Observe something."""
        self._meter.observe(metric, value, **labels)

    # --- what drivers call ---

    def step(self, records: Iterable[Raw], now_ms: int) -> int:
        """Do one batch, with the timers that are due; returns how many records it had. Then `positions` may be committed."""
        started = time.perf_counter()
        count = 0
        for raw in records:
            count += 1
            self._handle(raw, now_ms)
        self._finish()
        fired, expired = self._fire(now_ms), self._expire(now_ms)
        if not (count or fired or expired):
            return 0
        self._make_durable()
        self._sums.tell(self._meter.count, self._meter.set)
        if count:
            self._meter.observe("hermes_pipeline_batch_records", count)
            self._meter.observe("hermes_pipeline_batch_seconds", time.perf_counter() - started)
        return count

    def positions(self) -> dict[tuple[str, int], int]:
        """The next offset of each topic partition whose work is durable."""
        return dict(self._positions)

    def adopt(self, partition: Partition) -> None:
        """Own a partition whose state is restored."""
        self.partitions[partition.number] = partition

    def release(self, number: int) -> None:
        """Own a partition no longer."""
        self.partitions.pop(number).store.close()
        self._positions = {place: at for place, at in self._positions.items() if place[1] != number}

    def next_due_ms(self) -> int | None:
        """When the next timer is due."""
        return min((d for p in self.partitions.values() if (d := p.next_due_ms()) is not None), default=None)

    def _handle(self, raw: Raw, now_ms: int) -> None:
        self._partition = self.partitions[raw.partition]
        self.offset = raw.offset
        agent, self._node = self._agents[raw.topic]
        try:
            value = self._known.pop(raw.value, None) or self.codec.decode(raw.value)
        except UnreadableError as error:
            dead = DeadRecord(raw.topic, raw.partition, raw.offset, raw.key, raw.value, str(error), now_ms)
            self.emit(DEADLETTERS, f"{raw.topic}/{raw.partition}/{raw.offset}", dead)
            self.count("hermes_deadletters_total", topic=raw.topic)
        else:
            agent.handle(value, self)
        self._read[raw.topic, raw.partition] = raw.offset + 1

    def _finish(self) -> None:
        """Let the agents that sum up a batch tell their sums."""
        for agent, node in self._summing:
            self._node = node
            agent.finish(self)

    def _fire(self, now_ms: int) -> int:
        fired = 0
        for number, partition in self.partitions.items():
            for wake in partition.due(now_ms, MAX_TIMERS_A_BATCH):
                event = TimerFired(wake.message_id, wake.number, now_ms)
                self._wave_one.append((CASCADE.name, wake.message_id.encode(), event, number))
                self._meter.observe("hermes_timer_lag_seconds", (now_ms - wake.due_ms) / 1000)
                fired += 1
        return fired

    def _expire(self, now_ms: int) -> int:
        if now_ms < self._expire_at_ms:
            return 0
        self._expire_at_ms = now_ms + EXPIRE_EVERY_MS
        return sum(partition.expire(now_ms, MAX_EXPIRED_A_BATCH) for partition in self.partitions.values())

    def _make_durable(self) -> None:
        rows = {number: partition.staged(self.encode) for number, partition in self.partitions.items()}
        for first in (True, False):
            self._send(self._wave_one if first else self._wave_two)
            for number, staged in rows.items():
                for table, row_key, row, version in staged:
                    if (table.name in self._state_first) == first:
                        self._outlet.send(table.changelog.name, table.log_key(row_key), row, number, version)
            self._outlet.flush()
        for topic, key, value, place in self._answers:
            self._outlet.answer(topic, key, self.codec.encode(value), place)
        for number, staged in rows.items():
            self.partitions[number].apply(staged)
        for wave in (self._wave_one, self._wave_two, self._answers):
            wave.clear()
        self._encoded.clear()
        self._positions.update(self._read)
        self._read.clear()

    def _send(self, outputs: list[Output]) -> None:
        for topic, key, value, place in outputs:
            octets = self.codec.encode(value)
            if topic in self._agents:
                self._expect(value, octets)
            self._outlet.send(topic, key, octets, place)

    def _expect(self, value: Any, octets: bytes) -> None:
        """Remember what these octets are: mostly they come back to this process within moments."""
        if len(octets) > MAX_EXPECTED_OCTETS:
            return
        if len(self._known) >= MAX_EXPECTED:
            self._known.clear()
        self._known[octets] = value

    def _own(self) -> Partition:
        if self._partition is None:
            raise RuntimeError("no record is being handled")
        return self._partition
