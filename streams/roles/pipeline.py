"""The pipeline process: the Kafka driver over the topology."""

import os
from typing import Final

from prometheus_client import CollectorRegistry

from schemas.catalogue import codec
from streams.kafka import KafkaDriver
from streams.metrics import Metrics
from streams.metrics_server import serve_metrics
from streams.parts import Parts
from streams.roles.alive import watch_tasks
from streams.roles.context import RoleContext
from streams.salt import salt_key
from streams.settings.resolve import public_url
from streams.topology import TOPOLOGY

FAULT_VARIABLE: Final = "HERMES_CRASH_FAULT"
"""Set by `hermes crash --prove-checkers` only: a known fault that its checkers have to find."""


def run(context: RoleContext) -> int:
    """Work until asked to stop."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    wanted = context.settings.pipeline
    parts = Parts(
        salt_key(context.state), wanted.keep_final, wanted.keep_answers, public_url(context.settings, context.state)
    )
    records = codec(context.registry)
    driver = KafkaDriver(TOPOLOGY, parts, records, context.bootstrap, context.state / context.name, metrics)
    if fault := os.environ.get(FAULT_VARIABLE):
        from streams.crash.faults import inject  # noqa: PLC0415 - a pipeline that serves never loads it

        inject(fault, driver, records, context.state)
    metrics.watch("hermes_timers_pending", lambda: sum(p.pending for p in list(driver.engine.partitions.values())))
    metrics.watch(
        "hermes_cascade_active_messages", lambda: sum(p.active for p in list(driver.engine.partitions.values()))
    )
    watch_tasks(metrics, context.name)
    server = serve_metrics(registry, port=context.ports["pipeline-metrics"])
    try:
        driver.run(context.stop.is_set, lambda: context.announce({"metrics": f"127.0.0.1:{server.port}"}))
    finally:
        server.stop()
    return 0
