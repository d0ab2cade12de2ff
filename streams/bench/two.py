"""A second pipeline process joins and leaves under a steady load: how long nothing is answered and nothing ends."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from deploy.local.process import Child
from streams.bench.apart import Running, start
from streams.bench.finals import Ends, Finals
from streams.bench.gaps import longest_gap
from streams.bench.load import PATIENCE_S, checked, load
from streams.bench.path import END_PATIENCE_S, REFUSALS, WARM_UP_S, plan_of, warm_up
from streams.bench.plan import Told
from streams.bench.result import BenchError, Line, Result, Wanted
from streams.bench.stack import PARTITIONS, STATE, command, home, tenant, up
from streams.kafka import now_ms
from streams.roles.start import announcement
from streams.salt import FILE as SALT_FILE

RATE_PER_S: Final = 200
TENANTS: Final = 8
"""So many that both partitions have some."""
MIN_PHASE_S: Final = 15.0
"""A group hears of a change at its members' heartbeats, five seconds apart."""
STOP_MS: Final = 15_000
SECOND: Final = "second"
PHASES: Final = ("one process", "a second joins", "the second leaves")


def run(wanted: Wanted) -> Result:
    """Three phases of the same length: one process, two, one."""
    phase_s = max(MIN_PHASE_S, wanted.seconds)
    with home(*(tenant(f"Bench {number}") for number in range(TENANTS))) as folder, up(folder) as ready:
        finals = Finals(ready["kafka"], PARTITIONS)
        try:
            rate_per_s = min(RATE_PER_S, wanted.rate_per_s)
            plan = plan_of(ready, wanted.open_connections, WARM_UP_S, rate_per_s=rate_per_s)
            warm_up(plan, finals)
            finals.mark()
            running = start(load, replace(plan, seconds=len(PHASES) * phase_s, tolerated=REFUSALS, keep=True))
            told, moments = _phases(running, folder, ready, phase_s)
            ends = finals.collect_ids(told.ids, END_PATIENCE_S)
        finally:
            finals.close()
    return Result(
        "two",
        f"{rate_per_s} messages/s of {TENANTS} tenants; {told.messages:,} accepted and every one of them delivered",
        tuple(lines_of(moments, told, ends)),
    )


def _phases(
    running: Running[Told], folder: Path, ready: Mapping[str, Any], phase_s: float
) -> tuple[Told, tuple[int, ...]]:
    """What the load told, and when each phase began and the last one ended, milliseconds since 1970."""
    try:
        time.sleep(phase_s)
        joins_ms = now_ms()
        second = _second(folder, ready)
        try:
            time.sleep(phase_s)
            if second.poll() is not None or announcement(folder / SECOND, "pipeline").get("pid") != second.pid:
                raise BenchError(f"the second pipeline did not own anything after {phase_s:g} s")
            leaves_ms = now_ms()
        finally:
            second.stop(STOP_MS)
        told = checked(running.result(phase_s + PATIENCE_S))
    finally:
        running.end()
    return told, (told.began_ms, joins_ms, leaves_ms, told.ended_ms)


def lines_of(moments: tuple[int, ...], told: Told, ends: Ends) -> list[Line]:
    """The longest silences of each phase."""
    lines: list[Line] = []
    for number, part in enumerate(PHASES):
        begin, end = moments[number : number + 2]
        answers, finals = longest_gap(told.accepted_ms, begin, end), longest_gap(ends.at_ms.values(), begin, end)
        lines.append(Line("longest gap between 202 answers", answers, "ms", part))
        lines.append(Line("longest gap between final states", finals, "ms", part))
    slowest = max(ends.of(told.ids).took_ms)
    part = "all three"
    return [
        *lines,
        Line("refused for now", len(told.refused_ms), "", part),
        Line("slowest message, from the gateway to its end", slowest, "ms", part),
    ]


def _second(folder: Path, ready: Mapping[str, Any]) -> Child:
    """Another pipeline of the same lane with a state of its own, as on another machine; it has the lane's salt."""
    state = folder / SECOND
    state.mkdir(mode=0o700)
    shutil.copy(folder / STATE / SALT_FILE, state / SALT_FILE)
    where = ("--state", SECOND, "--kafka", str(ready["kafka"]))
    child = command(folder, "run", "pipeline", *where, dsn=str(ready["postgres"]))
    child.start()
    return child
