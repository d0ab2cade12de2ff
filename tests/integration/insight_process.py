"""Runs the insight process for its tests: a child that prints its port and counts until it is told to stop."""

import json
import sys
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from schemas.catalogue import codec
from schemas.codec import Codec
from streams.insight.run import run
from streams.logs import configure
from streams.metrics import Metrics


class BrokenCodec(Codec):
    """A codec that fails in a way that nobody expects."""

    def decode(self, octets: bytes) -> Any:
        raise ZeroDivisionError(f"{len(octets)} octets")


def main() -> int:
    """Arguments: bootstrap, data folder, partitions, prefix of the names, the codec: `sound` or `broken`."""
    bootstrap, folder, partitions, prefix, how = sys.argv[1:]
    configure("insight")
    sound = codec()

    def told(port: int) -> None:
        sys.stdout.write(json.dumps({"port": port}) + "\n")
        sys.stdout.flush()

    return run(
        bootstrap, BrokenCodec(sound.registry, sound.types) if how == "broken" else sound, Path(folder), "127.0.0.1", 0,
        int(partitions), Metrics(CollectorRegistry()), prefix=prefix, told=told,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
