"""Many pending timers on one partition: their memory, how long they take to come back, and how late they fire at a rate."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.local.kafka import KafkaBroker
from schemas.catalogue import codec
from schemas.topics import FIXED
from streams.admin import ensure_topics
from streams.bench.apart import apart
from streams.bench.records import records
from streams.bench.result import BenchError, Line, Result, Wanted, quantile
from streams.bench.timers_work import ATTEMPTS, Run, prepare, seed, work

START_MS: Final = 60_000
STOP_MS: Final = 5_000
PATIENCE_S: Final = 600.0


def run(wanted: Wanted) -> Result:
    """A pipeline without timers; one that reads them from the changelog; one that has them, where more fall due at the rate."""
    firing = max(1, round(wanted.seconds * wanted.rate_per_s))
    with broker() as (bootstrap, folder):
        ensure_topics(bootstrap, (*FIXED, ATTEMPTS), 1)
        prepare(bootstrap)
        empty: Run = apart(work, bootstrap, str(folder / "empty"), 0, 0, patience_s=PATIENCE_S)
        seed_s: float = apart(seed, bootstrap, wanted.rows, patience_s=PATIENCE_S)
        state = str(folder / "state")
        restored: Run = apart(work, bootstrap, state, 0, 0, patience_s=PATIENCE_S)
        local: Run = apart(work, bootstrap, state, firing, wanted.rate_per_s, patience_s=PATIENCE_S + wanted.seconds)
        late_ms = _late_ms(bootstrap, local.due_ms)
    if restored.rows < wanted.rows or len(local.lag_ms) < firing or len(late_ms) < firing:
        raise BenchError(
            f"{restored.rows} of {wanted.rows} timers came back, {len(local.lag_ms)} of {firing} fired, {len(late_ms)} were sent"
        )
    held = (local.memory_octets - empty.memory_octets) / wanted.rows
    part = f"{firing:,} more, due at {wanted.rate_per_s}/s"
    return Result(
        "timers",
        f"{wanted.rows:,} scheduled messages in one partition of the pipeline process, on a Kafka of its own; more of them fall"
        " due while these wait",
        (
            Line("writing them to the changelog", seed_s, "s"),
            Line("restore from the changelog", restored.restore_s, "s"),
            Line("ready with none", empty.ready_s, "s"),
            Line("ready from the changelog", restored.ready_s, "s"),
            Line("ready from RocksDB", local.ready_s, "s"),
            Line("memory of a timer", held, "octets"),
            Line("fired late p50", quantile(local.lag_ms, 0.5), "ms", part),
            Line("fired late p99", quantile(local.lag_ms, 0.99), "ms", part),
            Line("due to attempt on the carrier's topic p50", quantile(late_ms, 0.5), "ms", part),
            Line("due to attempt on the carrier's topic p99", quantile(late_ms, 0.99), "ms", part),
        ),
    )


@contextmanager
def broker() -> Iterator[tuple[str, Path]]:
    """A Kafka of its own, and a folder, while the block runs."""
    with tempfile.TemporaryDirectory(prefix="hermes-bench-") as name:
        kafka = KafkaBroker(Path(name))
        kafka.start()
        try:
            kafka.wait_ready(START_MS)
            yield kafka.bootstrap, Path(name)
        finally:
            kafka.stop(STOP_MS)


def _late_ms(bootstrap: str, due_ms: dict[str, int]) -> list[float]:
    """How long after it was due each message was on its carrier's topic."""
    decode = codec().decode
    return [
        float(at_ms - due_ms[attempt.message_id])
        for value, at_ms in records(bootstrap, ATTEMPTS, {0: 0})
        if (attempt := decode(value)).message_id in due_ms
    ]
