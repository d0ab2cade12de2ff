"""How many tasks and threads a process has: a number that only grows is a leak."""

import asyncio
import threading

from streams.metrics import Metrics


def watch_tasks(metrics: Metrics, process: str, loop: asyncio.AbstractEventLoop | None = None) -> None:
    """Show the number whenever the metrics are read."""

    def alive() -> int:
        return threading.active_count() + (len(asyncio.all_tasks(loop)) if loop is not None else 0)

    metrics.watch("hermes_cascade_goroutines_active", alive, process=process)
