"""The archive role: status changes and the ledger into PostgreSQL."""

import asyncio

from prometheus_client import CollectorRegistry, ProcessCollector

from deploy.local.ports import HOST
from egress.archive.run import run_archive
from schemas.catalogue import codec
from streams.metrics import Metrics
from streams.metrics_server import serve_metrics
from streams.roles.alive import watch_tasks
from streams.roles.context import RoleContext, stop_event


def run(context: RoleContext) -> int:
    """Archive until it is asked to leave; what fails is raised, and the supervisor starts the role again."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    server = serve_metrics(registry, HOST, context.ports["archive-metrics"])
    try:
        asyncio.run(_archive(context, f"{HOST}:{server.port}", Metrics(registry)))
    finally:
        server.stop()
    return 0


async def _archive(context: RoleContext, address: str, metrics: Metrics) -> None:
    stop = stop_event(context.stop)
    context.announce({"metrics": address})
    watch_tasks(metrics, context.name, asyncio.get_running_loop())
    await run_archive(context.bootstrap, context.dsn, codec(context.registry), stop, metrics)
