"""Runs seeds and says what came of them: how many, what happened in them, and each that broke a promise with its history."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

from streams.logs import configure
from streams.sim.chaos import Chaos
from streams.sim.faults import swarm
from streams.sim.history import history
from streams.sim.processes import Product
from streams.sim.promises.broken import Broken
from streams.sim.promises.check import broken
from streams.sim.promises.seen import look
from streams.sim.world import RestlessError, World

SEEDS_A_CHUNK: Final = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed that broke a promise: the checker's sentence, the message, and its history line by line."""

    seed: int
    sentence: str
    message_id: str
    history: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What came of some seeds; `faults` by kind and `ends` by final state say what there was to get wrong."""

    seeds: int = 0
    submissions: int = 0
    records: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Count another one in."""
        self.seeds += other.seeds
        self.submissions += other.submissions
        self.records += other.records
        self.faults.update(other.faults)
        self.ends.update(other.ends)
        self.failures.extend(other.failures)


def examine(seed: int, product: Product | None = None) -> Tally:
    """Run one seed and look at what it came to. An exception of the product is raised, with the seed as its note."""
    chaos = Chaos(swarm(seed), product or Product())
    try:
        world = chaos.run()
        seen = look(world)
        found = next(broken(seen), None)
    except RestlessError as error:
        return _failed(Tally(1), chaos.world, seed, Broken(str(error)))
    except BaseException as error:
        error.add_note(f"in the run of seed {seed}")
        raise
    tally = Tally(1, len(world.asked), world.broker.landed)
    tally.faults.update(world.faults.counts)
    tally.ends.update(state for states in seen.finals.values() for state in states)
    return tally if found is None else _failed(tally, world, seed, found)


def _failed(tally: Tally, world: World, seed: int, found: Broken) -> Tally:
    tally.failures.append(Failure(seed, found.sentence, found.message_id, tuple(history(world, found.message_id))))
    return tally


def examine_all(seeds: Iterable[int]) -> Tally:
    """Run some seeds in this process, without the product's logs."""
    configure("sim", "error")
    tally = Tally()
    for seed in seeds:
        tally.add(examine(seed))
    return tally


def spread(seeds: range, jobs: int) -> Iterator[Tally]:
    """Run seeds in `jobs` processes (in this one for one job); a tally for each chunk as it is done."""
    chunks = [seeds[at : at + SEEDS_A_CHUNK] for at in range(0, len(seeds), SEEDS_A_CHUNK)]
    if jobs == 1:
        yield from map(examine_all, chunks)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        try:
            yield from (one.result() for one in as_completed(_submitted(pool, chunks)))
        finally:
            pool.shutdown(cancel_futures=True)


def _submitted(pool: Executor, chunks: list[range]) -> list[Future[Tally]]:
    return [pool.submit(examine_all, chunk) for chunk in chunks]
