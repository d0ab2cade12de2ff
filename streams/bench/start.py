"""How long `hermes up` takes until it answers, with the state of many messages on its disk or only on Kafka."""

import shutil
import time
from pathlib import Path
from typing import Final

from deploy.local.kafka import KafkaBroker
from streams.bench.apart import apart
from streams.bench.result import Line, Result, Wanted
from streams.bench.seed import fill_topics, sample
from streams.bench.stack import PARTITIONS, STATE, home, up
from streams.kafka import now_ms

START_MS: Final = 60_000
STOP_MS: Final = 30_000
SEED_PATIENCE_S: Final = 600.0
READY_WITHIN_S: Final = 400.0
"""Longer than the supervisor gives a role: what is too slow is said by it, not by this."""


def run(wanted: Wanted) -> Result:
    """Nothing there yet; the state's changelogs on Kafka only; the same on the local disk too."""
    with home() as folder:
        first_s = _ready_s(folder)
        empty_s = _ready_s(folder)
        seed_s = _seed(folder / STATE, wanted.rows)
        for process in ("pipeline", "egress"):
            shutil.rmtree(folder / STATE / process)
        cold_s = _ready_s(folder)
        warm_s = _ready_s(folder)
    part = f"{wanted.rows:,} messages of state"
    return Result(
        "start",
        "`hermes up` until all of it answers; the state is that of delivered messages: one went through the engine, and the"
        " changelog records it left were written again for each id",
        (
            Line("first start, nothing there", first_s, "s"),
            Line("start without messages", empty_s, "s"),
            Line("writing the changelogs", seed_s, "s", part),
            Line("start on a new disk, from the changelogs", cold_s, "s", part),
            Line("start on its own disk", warm_s, "s", part),
        ),
    )


def _ready_s(folder: Path) -> float:
    began_s = time.monotonic()
    with up(folder, READY_WITHIN_S):
        return time.monotonic() - began_s


def _seed(state: Path, rows: int) -> float:
    """Run the broker of the state alone, and write; how many seconds the writing took."""
    broker = KafkaBroker(state)
    broker.start()
    try:
        broker.wait_ready(START_MS)
        return apart(write, broker.bootstrap, rows, patience_s=SEED_PATIENCE_S)
    finally:
        broker.stop(STOP_MS)


def write(bootstrap: str, rows: int) -> float:
    """Write the changelogs; how many seconds that took."""
    began_s = time.perf_counter()
    fill_topics(bootstrap, sample(now_ms()), rows, PARTITIONS)
    return time.perf_counter() - began_s
