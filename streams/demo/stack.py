"""The stack of the demo: `hermes up` as a child with the demo's own settings, up when it is given, gone afterwards."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from deploy.local.errors import ServerFailedError
from deploy.local.process import Child
from streams.private import read_json, write_private

READY_WITHIN_S: Final = 180.0
POLL_S: Final = 0.1
STOP_WITHIN_MS: Final = 15_000
LAST_WORDS: Final = 10
CONFIG, READY = "demo.toml", "ready.json"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is up; implements `world.Machine`."""

    state: Path

    @property
    def document(self) -> dict[str, Any]:
        """The ready file as it is now."""
        return read_json(self.state / READY)

    def pid(self, name: str) -> int:
        """See Machine."""
        return int(self.document.get("processes", {}).get(name, 0))

    def kill(self, name: str) -> int:
        """See Machine; the process is one of this stack, for its ready file names it."""
        pid = self.pid(name)
        if pid > 0:
            os.kill(pid, signal.SIGKILL)
        return pid


def settings_file() -> bytes:
    """The settings that the demo runs with."""
    return files("streams.demo").joinpath(CONFIG).read_bytes()


@contextmanager
def running(state: Path, say: Say) -> Iterator[Stack]:
    """The stack with this state, while the block runs; `say` is told what is ready.

    Raises:
        ServerFailedError: it did not come up; the message ends with its last words.
    """
    write_private(state / CONFIG, settings_file())
    (state / READY).unlink(missing_ok=True)
    child = _child(state)
    child.start()
    try:
        wait_until_up(child, state / READY, say)
        yield Stack(state)
    finally:
        child.stop(STOP_WITHIN_MS)


def _child(state: Path) -> Child:
    """Asked to leave when this process dies. A PostgreSQL that the environment names is not the demo's."""
    where = ("--config", str(state / CONFIG), "--state", str(state), "--ready-file", str(state / READY))
    return Child(
        name="hermes up",
        command=(sys.executable, "-P", "-m", "streams.cli", "up", "--json", *where),
        log_file=state / "logs" / "up.log",
        env={name: value for name, value in os.environ.items() if name != "HERMES_POSTGRES"},
        cwd=state,
        death_signal=signal.SIGTERM,
    )


def wait_until_up(child: Child, ready_file: Path, say: Say) -> None:
    """Returns when `hermes up --json` has written its ready file; ServerFailedError with its last words when it does not."""
    deadline = time.monotonic() + READY_WITHIN_S
    said = 0
    while not ready_file.exists():
        status = child.poll()
        if status is not None or time.monotonic() >= deadline:
            how = f"ended with status {status}" if status is not None else f"was not up after {READY_WITHIN_S:.0f} s"
            words = "\n".join(child.last_words(LAST_WORDS))
            raise ServerFailedError(f"the stack {how}; the last words of hermes up:\n{words}")
        news = [told for line in child.last_words(1_000) if (told := told_of(line))]
        for told in news[said:]:
            say(told)
        said = len(news)
        time.sleep(POLL_S)


def told_of(line: str) -> str:
    """What a line of `hermes up --json` says about a process that is ready; empty for anything else."""
    if not line.startswith("{"):
        return ""
    try:
        event = json.loads(line)
    except ValueError:  # still being written
        return ""
    if event.get("event") != "ready":
        return ""
    return f"{event['name']} is ready after {event['elapsed_ms'] / 1000:.1f} s"
