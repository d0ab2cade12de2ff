"""The archive role: status changes and the ledger into PostgreSQL."""

import asyncio

from prometheus_client import CollectorRegistry, ProcessCollector

from deploy.local.ports import HOST
from egress.archive.run import run_archive
from schemas.catalogue import codec
from streams.metrics_server import serve_metrics
from streams.roles.context import RoleContext, stop_event


def run(context: RoleContext) -> int:
    """Archive until it is asked to leave; what fails is raised, and the supervisor starts the role again."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    server = serve_metrics(registry, HOST, context.ports["archive-metrics"])
    try:
        asyncio.run(_archive(context, f"{HOST}:{server.port}"))
    finally:
        server.stop()
    return 0


async def _archive(context: RoleContext, metrics: str) -> None:
    stop = stop_event(context.stop)
    context.announce({"metrics": metrics})
    await run_archive(context.bootstrap, context.dsn, codec(context.registry), stop)
