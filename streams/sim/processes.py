"""The processes of the pipeline: they die at any moment, come back on whatever disk, hand partitions over, and haunt.

A process that was replaced without knowing it (a zombie) finds, when it wakes, that its turn took too long: it writes and
commits nothing more. What had landed of its batch before it stood still is there.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from streams.memory import CrashError, LostError, MemoryDriver
from streams.node import Node
from streams.parts import Parts
from streams.sim.disk import Disk
from streams.sim.faults import MOST_DEATHS, Fault, Faults
from streams.sim.lane import CODEC
from streams.sim.meter import NoMeter
from streams.topology import TOPOLOGY
from tables.store import MemoryStore, Store

Instant = Literal["landing", "answering", "applying", "applied", "committing", "committed"]

PARTS: Final = Parts(b"salt")

CRASHES: Final[dict[Instant, Fault]] = {
    "landing": "crash_landing", "answering": "crash_answering", "applying": "crash_applying", "applied": "crash_applied",
    "committing": "crash_committing", "committed": "crash_committed",
}  # fmt: skip

OUTAGES_MS: Final = (1_000, 10_000, 45_000)
PAUSES_MS: Final = (0, 1_000, 45_000)
"""How long a process may stand still while its successor works."""
MACHINES: Final = 3
MOST_HAUNTED_BATCHES: Final = 4


@dataclass(frozen=True, slots=True)
class Product:
    """What is simulated: the topology and its settings, the driver, and what each disk is. Tests put broken parts in."""

    nodes: Sequence[Node] = TOPOLOGY
    parts: Parts = PARTS
    driver: Callable[..., MemoryDriver] = MemoryDriver
    disk: Callable[[], Store] = MemoryStore


@dataclass(slots=True)
class Process:
    """One process: its machine, how far its clock is off, and whether it is within a batch."""

    number: int
    machine: int
    driver: MemoryDriver = field(init=False)
    skew_ms: int = 0
    working: bool = False
    replaced: bool = False

    @property
    def owned(self) -> tuple[int, ...]:
        """The numbers of its partitions."""
        return tuple(self.driver.engine.partitions)


@dataclass(slots=True)
class Pipeline:
    """All processes of the pipeline, and the machines that they run on."""

    product: Product
    faults: Faults
    meanwhile: Callable[[], None] = lambda: None
    """What happens outside while a process stands still."""
    running: list[Process] = field(default_factory=list)
    _haunting: list[Process] = field(default_factory=list)
    _down: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)
    _disks: dict[tuple[int, int], Store] = field(default_factory=dict)
    _count: int = 0

    def start(self, machine: int, owned: Iterable[int], *, empty: bool = False) -> Process:
        """A new process on the disk that this machine has, which may be empty or long out of use."""
        self._count += 1
        process, chance = Process(self._count, machine), self.faults.chance
        numbers = tuple(owned)
        most = chance.randint(1, 4) if self.faults.happens("small_batches") else 100
        every = chance.randint(2, 6) if self.faults.happens("late_commit") else 1
        process.driver = self.product.driver(
            self.product.nodes, self.product.parts, CODEC, self.faults.broker, NoMeter(), chance.randrange(2**32),
            lambda moment: self._strike(process, moment),
            {number: self._disk(process, number, empty=empty) for number in numbers}, numbers, (1, most), every,
        )  # fmt: skip
        self.running.append(process)
        return process

    def restart(self) -> None:
        """End every process in order and start one over all partitions on the disk of the first."""
        machine = self.running[0].machine if self.running else 0
        self.running.clear()
        self.start(machine, range(self.faults.broker.partitions))

    def step(self) -> bool:
        """Let each process do a batch; whether there may be more to do at this time."""
        now_ms = self.faults.broker.now_ms
        for up_at_ms, machine, owned in [one for one in self._down if one[0] <= now_ms]:
            self._down.remove((up_at_ms, machine, owned))
            self.start(machine, owned)
        turns = list(self.running)
        if len(turns) > 1:
            self.faults.chance.shuffle(turns)
        busy = [self._turn(process) for process in turns if process in self.running]
        return any(busy)

    def moments(self) -> list[int]:
        """When something will be due: a timer by its process's clock, or the end of an outage."""
        dues = [(p.driver.engine.next_due_ms(), p.skew_ms) for p in self.running]
        return [due - skew for due, skew in dues if due is not None] + [one[0] for one in self._down]

    def rebalance(self) -> None:
        """Hand one partition over in order, to a process that may just have been started for it."""
        chance = self.faults.chance
        if not self.running:
            return
        if len(self.running) == 1:
            self.start(self._free_machine(), ())
        giver = chance.choice([p for p in self.running if p.owned] or self.running)
        taker = chance.choice([p for p in self.running if p is not giver])
        if giver.owned:
            number = chance.choice(giver.owned)
            giver.driver.release(number)
            taker.driver.adopt(number, self._disk(taker, number))

    def rows(self, table: Any) -> dict[str, Any]:
        """Every row of a table that some process has."""
        found = [p for process in self.running for p in process.driver.engine.partitions.values()]
        keys = [(p, key[len(table.tag) :].decode()) for p in found for key, _ in p.store.scan(table.tag)]
        return {key: p.get(table, key) for p, key in keys}

    def rest(self) -> bool:
        """There is nothing to do for a while: each process commits what it has not committed yet; whether one died over it."""
        died = [self._while_alive(process, process.driver.commit) for process in list(self.running)]
        return any(died)

    def _turn(self, process: Process) -> bool:
        now_ms = self.faults.broker.now_ms + process.skew_ms
        return self._while_alive(process, lambda: bool(process.driver.step(now_ms)) or process.driver.behind())

    def _while_alive(self, process: Process, action: Callable[[], bool | None]) -> bool:
        """What came of it, true when the process died over it."""
        process.working = True
        try:
            return bool(action())
        except CrashError:
            if not process.replaced:
                self._fall(process)
            return True
        finally:
            process.working = False
            if process.replaced:
                self._haunting.remove(process)

    def _fall(self, process: Process) -> None:
        """The process is dead: another one takes its partitions up, now or later, here or elsewhere."""
        self.running.remove(process)
        machine = self._free_machine() if self.faults.happens("stale_disk") else process.machine
        if self.faults.happens("outage"):
            pause_ms = self.faults.chance.choice(OUTAGES_MS)
            self.faults.slack_ms += pause_ms
            self._down.append((self.faults.broker.now_ms + pause_ms, machine, process.owned))
        else:
            self.start(machine, process.owned)

    def _strike(self, process: Process, instant: Instant) -> None:
        """What may happen to a process at an instant of a batch."""
        if not process.working:
            return
        if process.replaced:
            raise CrashError("it stood still for too long")
        if self.faults.deaths >= MOST_DEATHS:
            return
        where = f"process {process.number}"
        if instant == "answering" and self.faults.happens("lost_verdict", where):
            raise LostError
        if instant == "landing" and self.faults.happens("zombie", where):
            self._replace(process)
            raise CrashError("it stood still for too long")
        if self.faults.happens(CRASHES[instant], where):
            raise CrashError

    def _replace(self, process: Process) -> None:
        """Its partitions get another owner, who works on them while this one stands still in the middle of its batch."""
        process.replaced = True
        self.running.remove(process)
        self._haunting.append(process)
        successor = self.start(self._free_machine(), process.owned)
        for _ in range(self.faults.chance.randint(1, MOST_HAUNTED_BATCHES)):
            pause_ms = self.faults.chance.choice(PAUSES_MS)
            self.faults.slack_ms += pause_ms
            self.faults.broker.now_ms += pause_ms
            self.meanwhile()
            if successor in self.running:
                self._turn(successor)

    def _free_machine(self) -> int:
        used = {p.machine for p in (*self.running, *self._haunting)}
        return self.faults.chance.choice([m for m in range(MACHINES + len(used)) if m not in used])

    def _disk(self, process: Process, number: int, *, empty: bool = False) -> Store:
        place = process.machine, number
        if place not in self._disks or empty or self.faults.happens("empty_disk", f"partition {number}"):
            self._disks[place] = self.product.disk()
        return Disk(self._disks[place], lambda instant: self._strike(process, instant))
