"""Runs the insight process for its tests: a child that prints its port and counts until it is told to stop."""

import json
import sys
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from schemas.catalogue import codec
from schemas.registry import FileRegistry
from streams.insight.run import run
from streams.logs import configure
from streams.metrics import Metrics


class BrokenRegistry:
    """A registry that fails in a way that nobody expects."""

    def __init__(self) -> None:
        self._real = FileRegistry.load()

    def id_of(self, value_type: type) -> int:
        return self._real.id_of(value_type)

    def schema_of(self, schema_id: int) -> dict[str, Any]:
        raise ZeroDivisionError(f"schema {schema_id}")


def main() -> int:
    """Arguments: bootstrap, data folder, partitions, prefix of the names, `sound` or `broken`."""
    bootstrap, folder, partitions, prefix, registry = sys.argv[1:]
    configure("insight")

    def told(port: int) -> None:
        sys.stdout.write(json.dumps({"port": port}) + "\n")
        sys.stdout.flush()

    return run(
        bootstrap, codec(BrokenRegistry() if registry == "broken" else None), Path(folder), "127.0.0.1", 0, int(partitions),
        Metrics(CollectorRegistry()), prefix=prefix, told=told,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
