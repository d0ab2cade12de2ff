"""A whole `hermes up` of its own for a measurement: a fresh state, one tenant without limits, the simulated carrier."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from deploy.local.process import Child
from streams.bench.result import BenchError
from streams.cli import DSN_VARIABLE
from streams.private import read_json
from streams.registry import REGISTRY_VARIABLE

READY_WITHIN_S: Final = 120.0
STOP_WITHIN_MS: Final = 30_000
POLL_S: Final = 0.1
LAST_WORDS: Final = 20
PARTITIONS: Final = 2
STATE: Final = "state"
ELSEWHERE: Final = frozenset({DSN_VARIABLE, REGISTRY_VARIABLE})
HEAD: Final = f"""\
[gateway]
http_port = 0
smpp_port = 0
smtp_port = 0
[pipeline]
partitions = {PARTITIONS}
"""
CONFIG_FILE: Final = "hermes.toml"
READY: Final = "ready.json"


def tenant(name: str = "Bench", rate_per_s: int = 100_000, from_domain: str = "") -> str:
    """The settings of a tenant whose money does not end."""
    return (
        f'[[tenants]]\nname = "{name}"\ntier = "enterprise"\nrate_per_s = {rate_per_s}\n'
        f'balance_micros = 1_000_000_000_000_000\nsender_id = "Bench"\nfrom_domain = "{from_domain}"\n'
    )


def carrier(name: str, port: int, tps: int = 0) -> str:
    """The settings of a carrier on this machine, who lets us in as the simulated one does."""
    return (
        f'[[carriers]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {port}\nsystem_id = "hermes"\n'
        f'password = "secret"\nbinds = 2\nwindow = 200\ntps = {tps}\n'
    )


def route(prefix: str, name: str) -> str:
    """The settings of the route to a carrier."""
    return f'[[routes]]\nprefix = "{prefix}"\ncarrier = "{name}"\nprice_micros = 30_000\n'


@contextmanager
def stack(*settings: str) -> Iterator[dict[str, Any]]:
    """The ready document of a fresh stack that runs while the block does, with these settings (none: one tenant)."""
    with home(*settings) as folder, up(folder) as ready:
        yield ready


@contextmanager
def home(*settings: str) -> Iterator[Path]:
    """A folder for a stack, with its settings; it is gone afterwards."""
    # PostgreSQL runs as another user when we are root: a folder that it can reach, so not one of a private parent
    with tempfile.TemporaryDirectory(prefix="hermes-bench-") as folder:
        found = Path(folder)
        (found / CONFIG_FILE).write_text(HEAD + "".join(settings or (tenant(),)))
        yield found


@contextmanager
def up(folder: Path, ready_within_s: float = READY_WITHIN_S) -> Iterator[dict[str, Any]]:
    """`hermes up` on the state in the folder, which stays; BenchError when it does not come up."""
    (folder / READY).unlink(missing_ok=True)
    child = command(folder, "up", "--json", "--state", STATE, "--ready-file", READY)
    child.start()
    try:
        yield _ready(folder, child, ready_within_s)
    finally:
        child.stop(STOP_WITHIN_MS)


def command(folder: Path, *arguments: str, dsn: str = "") -> Child:
    """A command of `hermes` with the settings of the folder; asked to leave when this process dies."""
    return Child(
        name=f"hermes {arguments[0]}",
        command=(sys.executable, "-P", "-m", "streams.cli", *arguments, "--config", CONFIG_FILE),
        log_file=folder / "logs" / f"{arguments[0]}.log",
        env=own_environment(os.environ) | ({DSN_VARIABLE: dsn} if dsn else {}),
        cwd=folder,
        death_signal=signal.SIGTERM,
    )


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would lead to somebody's database or registry: a measurement writes into its own."""
    return {name: value for name, value in environment.items() if name not in ELSEWHERE}


def _ready(folder: Path, child: Child, within_s: float) -> dict[str, Any]:
    deadline = time.monotonic() + within_s
    while child.poll() is None and time.monotonic() < deadline:
        if (folder / READY).exists():
            return read_json(folder / READY)
        time.sleep(POLL_S)
    words = "\n".join(child.last_words(LAST_WORDS))
    raise BenchError(f"Hermes did not come up in {within_s:g} s: {words}")
