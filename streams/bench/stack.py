"""A whole `hermes up` of its own for a measurement: a fresh state, one tenant without limits, the simulated carrier."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from streams.bench.result import BenchError
from streams.cli import DSN_VARIABLE
from streams.registry import REGISTRY_VARIABLE

READY_WITHIN_S: Final = 120.0
STOP_WITHIN_S: Final = 30.0
POLL_S: Final = 0.1
LAST_WORDS_CHARS: Final = 2_000
PARTITIONS: Final = 2
ELSEWHERE: Final = frozenset({DSN_VARIABLE, REGISTRY_VARIABLE})
CONFIG: Final = f"""\
[gateway]
http_port = 0
smpp_port = 0
smtp_port = 0
[pipeline]
partitions = {PARTITIONS}
[[tenants]]
name = "Bench"
tier = "enterprise"
rate_per_s = 100_000
balance_micros = 1_000_000_000_000_000
sender_id = "Bench"
"""


@contextmanager
def stack() -> Iterator[dict[str, Any]]:
    """The ready document of a stack that runs while the block does; BenchError when it does not come up."""
    # PostgreSQL runs as another user when we are root: a folder that it can reach, so not one of a private parent
    with tempfile.TemporaryDirectory(prefix="hermes-bench-") as folder:
        home = Path(folder)
        (home / "hermes.toml").write_text(CONFIG)
        command = (sys.executable, "-P", "-m", "streams.cli", "up", "--json", "--config", "hermes.toml")
        with (home / "out").open("ab") as out:
            process = subprocess.Popen(  # noqa: S603 - our own command
                (*command, "--state", "state", "--ready-file", "ready.json"),
                cwd=home, env=own_environment(os.environ), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        try:
            yield _ready(home, process)
        finally:
            _stop(process)


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would lead to somebody's database or registry: a measurement writes into its own."""
    return {name: value for name, value in environment.items() if name not in ELSEWHERE}


def _ready(home: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    deadline = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        if (home / "ready.json").exists():
            found: dict[str, Any] = json.loads((home / "ready.json").read_text())
            return found
        time.sleep(POLL_S)
    words = (home / "out").read_text(errors="replace")[-LAST_WORDS_CHARS:]
    raise BenchError(f"Hermes did not come up in {READY_WITHIN_S:g} s: {words}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
