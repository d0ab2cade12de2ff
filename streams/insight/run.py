"""The insight process: starts the Faust application and its queries, and ends with 0 on SIGTERM, with 1 on a crash."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import structlog
import uvloop
from aiohttp import web

from schemas.codec import Codec
from streams.insight.app import Insight, build
from streams.insight.query import routes
from streams.metrics import Metrics

START_TIMEOUT_S = 600.0
"""A restore reads the changelog; at 20,000 records a second this is twelve million."""
STOP_TIMEOUT_S = 8.0
SHUTDOWN_TIMEOUT_S = 1.0

log = structlog.get_logger()


def run(
    bootstrap: str, codec: Codec, datadir: Path, host: str, port: int, partitions: int, metrics: Metrics, *,
    replicas: int = 1, prefix: str = "", told: Callable[[int], None] = lambda _: None,
) -> int:  # fmt: skip
    """Run until SIGTERM or SIGINT and give the exit status: 0 after a clean stop, 1 after a crash.

    `told` is called with the port once HTTP is served; `/healthz` answers 503 until the table is restored.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(bootstrap, codec, datadir, host, port, partitions, metrics, replicas, prefix, told))


async def _serve(
    bootstrap: str, codec: Codec, datadir: Path, host: str, port: int, partitions: int, metrics: Metrics, replicas: int,
    prefix: str, told: Callable[[int], None],
) -> int:  # fmt: skip
    insight = build(bootstrap, codec, datadir, partitions, metrics, replicas=replicas, prefix=prefix)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, asked.set)
    metrics.watch("hermes_insight_rows", lambda: len(insight.tally.minutes))
    runner = web.AppRunner(routes(insight, metrics.registry), access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        told(runner.addresses[0][1])
        return await _count(insight, asked)
    finally:
        await runner.cleanup()


async def _count(insight: Insight, asked: asyncio.Event) -> int:
    """Start the application, wait for the end, stop it."""
    app = insight.app
    starting = asyncio.create_task(_start(app), name="insight-start")
    ends = [
        asyncio.create_task(asked.wait(), name="insight-asked"),
        asyncio.create_task(app.wait_until_stopped(), name="insight-stopped"),
    ]
    done, _ = await asyncio.wait([starting, *ends], return_when=asyncio.FIRST_COMPLETED)
    if starting in done and starting.exception() is None:
        log.info("insight_ready", partitions=insight.partitions(), rows=len(insight.tally.minutes))
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for task in (starting, *ends):
        task.cancel()
    results = await asyncio.gather(starting, *ends, return_exceptions=True)
    reason = app.crash_reason or next(
        (r for r in results if isinstance(r, BaseException) and not isinstance(r, asyncio.CancelledError)), None
    )
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            if reason is None:
                insight.tally.release()
            await app.stop()
    except TimeoutError as error:
        reason = reason or error
    if reason is not None:
        log.error("insight_crashed", reason=type(reason).__name__, exc_info=reason)
        return 1
    log.info("insight_stopped", rows=len(insight.tally.minutes))
    return 0


async def _start(app: object) -> None:
    async with asyncio.timeout(START_TIMEOUT_S):
        await app.start()  # type: ignore[attr-defined]  # faust ships no types
