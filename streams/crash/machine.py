"""The product under attack: `hermes up` as a child, what its supervisor says of each process, and signals to them."""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import psutil

from deploy.local.process import Child
from streams.cli import DSN_VARIABLE
from streams.demo.stack import Say, wait_until_up
from streams.private import read_json, write_private
from streams.registry import REGISTRY_VARIABLE
from streams.roles.pipeline import FAULT_VARIABLE
from streams.roles.start import announcement
from streams.salt import FILE as SALT_FILE

CONFIG, READY, UP_LOG = "crash.toml", "ready.json", "up.log"
POLL_S: Final = 0.1
STOP_WITHIN_MS: Final = 15_000
GONE_WITHIN_S: Final = 10.0
PYTHON: Final = (sys.executable, "-P", "-m", "streams.cli")
SECOND: Final = "second"
"""The folder of the second pipeline process within the state."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A stack that is to be started; `kafka` and `postgres` are empty for the embedded ones, `fault` for none."""

    state: Path
    run_id: str
    callback_port: int
    kafka: str = ""
    postgres: str = field(default="", repr=False)
    fault: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Ours without what would lead elsewhere."""
        ours = {DSN_VARIABLE: self.postgres, FAULT_VARIABLE: self.fault, REGISTRY_VARIABLE: ""}
        others = {name: value for name, value in os.environ.items() if name not in ours}
        return {**others, **{name: value for name, value in ours.items() if value}}


@dataclass(slots=True)
class Machine:
    """A stack that is up. Process ids are those that its supervisor told last, 0 for what does not run now."""

    setting: Setting
    child: Child
    _pids: dict[str, int] = field(default_factory=dict)
    _ready: set[str] = field(default_factory=set)
    _read: int = 0

    @property
    def document(self) -> dict[str, Any]:
        """The ready file as it is now."""
        return read_json(self.setting.state / READY)

    def address(self, protocol: str) -> str:
        """Where the gateway is: `http`, `smpp`, `smtp`."""
        return str(self.document[protocol])

    def pid(self, name: str) -> int:
        """The process of that name."""
        self._listen()
        return self._pids.get(name, 0)

    def ready(self, name: str) -> bool:
        """Whether that process has answered since its last start."""
        self._listen()
        return name in self._ready

    def send(self, name: str, number: signal.Signals) -> int:
        """Send a signal to a process of this stack; its id, 0 when it does not run at this moment."""
        pid = self.pid(name)
        try:
            if pid and psutil.Process(pid).ppid() == self.child.pid:
                os.kill(pid, number)
                return pid
        except (psutil.NoSuchProcess, ProcessLookupError):
            pass
        return 0

    def kill_and_forget(self, name: str) -> int:
        """Kill a process and delete its local state before it is started again: the supervisor is halted meanwhile."""
        supervisor = self.child.pid or 0
        os.kill(supervisor, signal.SIGSTOP)
        try:
            pid = self.send(name, signal.SIGKILL)
            if pid:
                _wait_dead(pid)
                shutil.rmtree(self.setting.state / name, ignore_errors=True)
        finally:
            os.kill(supervisor, signal.SIGCONT)
        return pid

    def second_pipeline(self) -> "Second":
        """Another pipeline process with a state of its own, not started; salt and addresses are those of the first."""
        home = self.setting.state / SECOND
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
        shutil.copy(self.setting.state / SALT_FILE, home / SALT_FILE)
        ports = read_json(self.setting.state / "ports.json")
        ports.pop("pipeline-metrics", None)
        write_private(home / "ports.json", json.dumps(ports).encode())
        document = self.document
        where = ("--state", str(home), "--kafka", str(document["kafka"]), "--config", str(self.setting.state / CONFIG))
        env = {**self.setting.environment, DSN_VARIABLE: str(document["postgres"]), "PYTHONUNBUFFERED": "1"}
        log = self.setting.state / "logs" / "second.log"
        return Second(
            home, Child("second pipeline", (*PYTHON, "run", "pipeline", *where), log, env, self.setting.state)
        )

    def events(self) -> list[dict[str, Any]]:
        """Everything that the supervisor said."""
        lines = (self.setting.state / "logs" / UP_LOG).read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def _listen(self) -> None:
        """Read on in what the supervisor says; a line that is still being written is left for the next time."""
        with (self.setting.state / "logs" / UP_LOG).open("rb") as log:
            log.seek(self._read)
            octets = log.read()
        whole = octets[: octets.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            if line.startswith(b"{"):
                self._note(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        name = str(event.get("name", ""))
        match event["event"]:
            case "started" | "ready":  # what takes a moment to start says its id later
                self._pids[name] = int(event["pid"] or 0)
                (self._ready.add if event["event"] == "ready" else self._ready.discard)(name)
            case "exited" | "failed":
                self._pids.pop(name, None)
                self._ready.discard(name)


@dataclass(slots=True)
class Second:
    """The second pipeline process."""

    home: Path
    child: Child

    @property
    def joined(self) -> bool:
        """Whether it owns partitions."""
        return bool(self.child.pid) and announcement(self.home, "pipeline").get("pid") == self.child.pid


@contextmanager
def running(setting: Setting, say: Say) -> Iterator[Machine]:
    """The stack while the block runs; `say` is told what is ready. Use it from the main thread: children are tied to it.

    Raises:
        ServerFailedError: it did not come up; the message ends with its last words.
    """
    state = setting.state
    text = files("streams.crash").joinpath(CONFIG).read_text(encoding="utf-8")
    settled = text.replace("{run}", setting.run_id).replace("{port}", str(setting.callback_port))
    write_private(state / CONFIG, settled.encode())
    (state / READY).unlink(missing_ok=True)
    (state / "logs" / UP_LOG).unlink(missing_ok=True)
    kafka = ("--kafka", setting.kafka) if setting.kafka else ()
    where = ("--config", str(state / CONFIG), "--state", str(state), "--ready-file", str(state / READY), *kafka)
    child = Child(
        "hermes up", (*PYTHON, "up", "--json", *where), state / "logs" / UP_LOG, setting.environment, state,
        death_signal=signal.SIGTERM,
    )  # fmt: skip
    child.start()
    try:
        wait_until_up(child, state / READY, say)
        yield Machine(setting, child)
    finally:
        child.stop(STOP_WITHIN_MS)


def _wait_dead(pid: int) -> None:
    """Return once a killed process runs no more; its parent need not have noticed."""
    deadline = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(POLL_S / 10)
    raise TimeoutError(f"process {pid} still runs after SIGKILL")
