"""What a message costs the engine when there is much state already: ten times the messages or tenants, not ten times the cost."""

import gc
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from streams.bench.apart import apart
from streams.bench.lane import Lane
from streams.bench.result import BenchError, Line, Result, Wanted
from streams.bench.seed import fill, sample
from streams.kafka import now_ms
from tables.store import RocksStore

FEW_ROWS: Final = 1_000
TENANTS: Final = 1_000
MESSAGES_A_SECOND: Final = 500
"""So many go through for each second that is wanted."""
MIN_MESSAGES: Final = 1_000
A_TURN: Final = 100
WARM_UP: Final = 500
PATIENCE_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Grown:
    """A message's CPU in microseconds, octets of memory when the state is loaded and at the end, seconds to build the state."""

    cpu_us: float
    loaded_octets: int
    end_octets: int
    seed_s: float


def run(wanted: Wanted) -> Result:
    """The same messages through the same engine, over little state, over much, and for many tenants."""
    messages = max(MIN_MESSAGES, round(wanted.seconds * MESSAGES_A_SECOND))
    few = min(FEW_ROWS, wanted.rows)
    base = _grown(messages, few, 1)
    lines = _lines(f"{few:,} messages stored, 1 tenant", base, None)
    lines += _lines(f"{wanted.rows:,} messages stored, 1 tenant", _grown(messages, wanted.rows, 1), base)
    lines += _lines(f"{few:,} messages stored, {TENANTS:,} tenants", _grown(messages, few, TENANTS), base)
    return Result(
        "growth",
        f"{messages:,} messages from submission to final state, {A_TURN} at a time, through the engine on RocksDB with its topics"
        " in memory, which are part of what it holds at the end",
        tuple(lines),
    )


def _grown(messages: int, rows: int, tenants: int) -> Grown:
    return apart(grow, messages, rows, tenants, patience_s=PATIENCE_S)


def _lines(part: str, grown: Grown, base: Grown | None) -> list[Line]:
    lines = [
        Line("CPU", grown.cpu_us, "µs a message", part),
        Line("memory with the state loaded", grown.loaded_octets / 2**20, "MiB", part),
        Line("memory at the end", grown.end_octets / 2**20, "MiB", part),
        Line("building the state", grown.seed_s, "s", part),
    ]
    if base is not None:
        lines.append(Line("CPU, to the first", grown.cpu_us / base.cpu_us, "times", part))
        lines.append(Line("memory loaded, to the first", grown.loaded_octets / base.loaded_octets, "times", part))
    return lines


def grow(messages: int, rows: int, tenants: int) -> Grown:
    """Build the state, load it as a process that starts does, and send the messages."""
    at_ms = now_ms()
    with tempfile.TemporaryDirectory(prefix="hermes-bench-") as folder:
        began_s = time.perf_counter()
        store = RocksStore(Path(folder))
        fill(store, sample(at_ms), rows, tenants)
        store.close()
        seed_s = time.perf_counter() - began_s
        lane = Lane(RocksStore(Path(folder)), tenants, at_ms)
        lane.open_accounts()
        lane.send(rows, WARM_UP)
        gc.collect()
        gc.freeze()
        loaded = _memory_octets()
        told, cpu_s = lane.status_records, time.process_time()
        for first in range(0, messages, A_TURN):
            lane.send(rows + WARM_UP + first, A_TURN)
        cpu_s = time.process_time() - cpu_s
        sent = -(-messages // A_TURN) * A_TURN
        if lane.status_records - told < sent:
            raise BenchError(f"{lane.status_records - told} states were told of {sent} messages")
        end = _memory_octets()
        lane.driver.engine.release(0)
    return Grown(cpu_s * 1e6 / sent, loaded, end, seed_s)


def _memory_octets() -> int:
    return int(psutil.Process().memory_info().rss)
