"""The insight role: the Faust application over the usage topic, announced once its table is restored."""

import http.client
import threading

from prometheus_client import CollectorRegistry

from deploy.local.ports import HOST
from schemas.catalogue import codec
from streams.insight.run import run as run_insight
from streams.metrics import Metrics
from streams.roles.context import RoleContext

RESTORED_POLL_S = 0.1
REQUEST_TIMEOUT_S = 2.0
JOIN_TIMEOUT_S = 3.0


def run(context: RoleContext) -> int:
    """Count until it is asked to leave; the exit status is that of the application."""
    settings = context.settings
    over = threading.Event()
    watchers: list[threading.Thread] = []

    def told(port: int) -> None:
        watcher = threading.Thread(target=_announce, args=(context, port, over), name="insight-restored", daemon=True)
        watchers.append(watcher)
        watcher.start()

    try:
        return run_insight(
            context.bootstrap, codec(context.registry), context.state / "insight", HOST,
            context.ports["insight"], settings.pipeline.partitions,
            Metrics(CollectorRegistry()), replicas=settings.pipeline.replication, told=told,
        )  # fmt: skip
    finally:
        over.set()
        for watcher in watchers:
            watcher.join(JOIN_TIMEOUT_S)


def _announce(context: RoleContext, port: int, over: threading.Event) -> None:
    """Announce the role when its health is good; return without a word when it ends before."""
    while not over.wait(RESTORED_POLL_S):
        if _is_restored(port):
            context.announce({"insight": f"{HOST}:{port}", "metrics": f"{HOST}:{port}"})
            return


def _is_restored(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=REQUEST_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):  # not yet
        return False
    finally:
        connection.close()
