"""`hermes up`: one supervisor over stack, simulated peers and roles; all that is on the disk is found again."""

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.events import Event
from deploy.local.jars import class_path
from deploy.local.kafka import KafkaBroker
from deploy.local.ports import HOST, is_listening, read_ports
from deploy.local.postgres import Postgres
from deploy.local.process import Child
from deploy.local.state import hold
from deploy.local.supervisor import Supervisor
from deploy.local.watch import Entry
from streams.console import JsonConsole, PeopleConsole
from streams.credentials import Credentials
from streams.logs import configure
from streams.preparation import Preparation
from streams.prepare import prepare
from streams.private import write_json
from streams.ready import book_path, ready_document
from streams.registry import REGISTRY_VARIABLE, registry_of
from streams.roles.start import ROLES, announcement, announcement_path
from streams.settings.load import load
from streams.settings.model import Settings
from streams.settings.ports import assign_ports, assign_ports_of
from streams.settings.resolve import SANDBOX_CARRIER_PORT, SANDBOX_MX_PORT, SANDBOX_PASSWORD, SANDBOX_SYSTEM_ID

DSN_VARIABLE = "HERMES_POSTGRES"
ROLE_READY_WITHIN_MS = 180_000
"""A restore of tables is part of it."""
PREPARE_WITHIN_MS = 180_000
PYTHON = (sys.executable, "-P", "-m")
"""-P: modules come from the installation, never from the folder in which the command was given."""


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What the command line says. `kafka`, `postgres` and `registry` are empty for what comes with Hermes."""

    state: Path
    config: Path | None = None
    ready_file: Path | None = None
    kafka: str = ""
    postgres: str = field(default="", repr=False)
    registry: str = field(default="", repr=False)
    json: bool = False


def up(options: UpOptions) -> int:
    """Run until SIGINT or SIGTERM; the exit status is 0 then, and 1 when something never came up.

    Raises:
        ConfigError: the settings, or what they contradict.
        LocalStackError: the state is in use, a port is taken, the jars of Kafka did not come.
    """
    began = time.monotonic()
    settings = load(options.config)
    registry_of(options.registry)  # a URL that cannot be is said before anything starts
    console: PeopleConsole | JsonConsole = JsonConsole() if options.json else PeopleConsole()
    if options.ready_file is not None:
        options.ready_file.unlink(missing_ok=True)
    with hold(options.state) as state, _log_file(state).open("ab") as logs:
        configure("supervisor", out=logs)
        for role in ROLES:
            announcement_path(state, role).unlink(missing_ok=True)
        assign_ports(settings, state)
        machine = Machine.of(options, settings, state)
        supervisor: Supervisor
        was_up = False

        def report(event: Event) -> None:
            nonlocal was_up
            console.event(event)
            if event.kind == "exited" and machine.preparation.refusal is not None:
                supervisor.request_stop()
            if event.kind == "ready" and supervisor.all_ready():
                document = machine.ready_document(supervisor.pids())
                if options.ready_file is not None:
                    write_json(options.ready_file.absolute(), document)
                if was_up:
                    console.again()
                else:
                    was_up = True
                    keys_in = options.ready_file or Credentials.of(state).path
                    console.up(document, round((time.monotonic() - began) * 1000), keys_in)

        supervisor = Supervisor(machine.entries(), report)
        status = supervisor.run()
    if machine.preparation.refusal is not None:
        raise machine.preparation.refusal
    console.stopped(status)
    return status


def _log_file(state: Path) -> Path:
    """Where the supervisor's own log goes, beside those of the roles."""
    folder = state / "logs"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder / "supervisor.log"


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything that runs on this machine; `kafka` and `postgres` are None where servers exist already."""

    options: UpOptions
    settings: Settings
    state: Path
    kafka: KafkaBroker | None
    postgres: Postgres | None
    preparation: Preparation

    @classmethod
    def of(cls, options: UpOptions, settings: Settings, state: Path) -> "Machine":
        """The machine of these options; the jars of Kafka are here when this returns."""
        kafka = None if options.kafka else KafkaBroker(state, class_path=class_path())
        postgres = None if options.postgres else Postgres(state)

        def work() -> None:
            prepare(settings, state, machine.bootstrap, machine.dsn, options.registry)

        machine = cls(options, settings, state, kafka, postgres, Preparation(work))
        return machine

    @property
    def bootstrap(self) -> str:
        """Where Kafka is."""
        return self.options.kafka if self.kafka is None else self.kafka.bootstrap

    @property
    def dsn(self) -> str:
        """Where PostgreSQL is, with its password."""
        return self.options.postgres if self.postgres is None else self.postgres.dsn

    def ready_document(self, processes: dict[str, int]) -> dict[str, Any]:
        """What the ready file holds now."""
        return ready_document(self.settings, self.state, self.bootstrap, self.dsn, processes)

    def entries(self) -> list[Entry]:
        """What the supervisor runs, in order. The gateway comes last and leaves first: what it took is answered."""
        found: list[Entry] = []
        if self.kafka is not None:
            kafka = self.kafka
            found.append(Entry("kafka", lambda: kafka, ready=kafka.is_ready))
        if self.postgres is not None:
            postgres = self.postgres
            found.append(Entry("postgres", lambda: postgres, ready=postgres.is_ready))
        stack = tuple(entry.name for entry in found)
        preparation = self.preparation
        found.append(
            Entry(
                "prepare",
                lambda: preparation,
                after=stack,
                ready=preparation.is_ready,
                ready_within_ms=PREPARE_WITHIN_MS,
            )
        )
        account = ("--system-id", SANDBOX_SYSTEM_ID, "--password", SANDBOX_PASSWORD)
        found.append(self._peer("carrier", SANDBOX_CARRIER_PORT, *account))
        found.append(self._peer("mx", SANDBOX_MX_PORT))
        found.append(self._role("pipeline", "prepare"))
        found.append(self._role("egress", "prepare", SANDBOX_CARRIER_PORT, SANDBOX_MX_PORT))
        found.append(self._role("archive", "prepare"))
        found.append(self._role("insight", "prepare"))
        found.append(self._role("gateway", "pipeline"))
        return found

    def _peer(self, module: str, port_name: str, *more: str) -> Entry:
        """A simulated peer; what it takes is in a book under the state directory."""
        port = read_ports(self.state)[port_name]
        book = book_path(self.state, module)

        def create() -> Child:
            book.parent.mkdir(exist_ok=True, mode=0o700)
            command = (*PYTHON, f"deploy.sandbox.{module}", "--host", HOST, "--port", str(port), "--book", str(book))
            return self._child(port_name, (*command, *more), {})

        return Entry(port_name, create, ready=lambda: is_listening(port))

    def _role(self, role: str, *after: str) -> Entry:
        """A role; it is ready when the process that runs now has said that it answers."""
        running: list[Child] = []

        def create() -> Child:
            assign_ports_of(role, self.settings, self.state)
            config = ("--config", str(self.options.config.absolute())) if self.options.config is not None else ()
            where = ("--state", str(self.state), "--kafka", self.bootstrap)
            secrets = {DSN_VARIABLE: self.dsn, REGISTRY_VARIABLE: self.options.registry}
            child = self._child(role, (*PYTHON, "streams.cli", "run", role, *where, *config), secrets)
            running[:] = [child]
            return child

        def is_ready() -> bool:
            return announcement(self.state, role).get("pid") == running[0].pid

        return Entry(role, create, after=after, ready=is_ready, ready_within_ms=ROLE_READY_WITHIN_MS)

    def _child(self, name: str, command: tuple[str, ...], more: dict[str, str]) -> Child:
        return Child(
            name=name,
            command=command,
            log_file=self.state / "logs" / f"{name}.log",
            env={**os.environ, "PYTHONUNBUFFERED": "1", **more},
            cwd=self.state,
        )
