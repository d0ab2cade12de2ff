"""What `hermes up` says while it runs: lines for people, or one JSON object a line for programs."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from deploy.local.events import Event

NAME_WIDTH = 16
ADDRESSES = (("REST", "http"), ("SMPP", "smpp"), ("SMTP", "smtp"), ("insight", "insight"), ("Kafka", "kafka"))
MAX_WORDS = 200
"""Characters of one line of last words."""

Say = Callable[[Event], None]


class PeopleConsole:
    """Lines for people on a terminal or in a file."""

    def __init__(self, output: TextIO | None = None) -> None:
        self._console = Console(file=output or sys.stdout, highlight=False, soft_wrap=True)

    def event(self, event: Event) -> None:
        """Tell what happened to a process, where it matters: a first start goes without saying."""
        match event.kind:
            case "ready":
                self._line(event.name, f"ready after {event.elapsed_ms / 1000:.1f} s", "green")
            case "exited":
                self._line(event.name, f"exited with {_status(event.status)}{_words(event)}", "red")
            case "failed":
                self._line(event.name, f"could not be started{_words(event)}", "red")
            case "too_slow":
                self._line(event.name, f"was not ready in time and was killed{_words(event)}", "red")
            case "waiting":
                self._line(event.name, f"starts again in {event.delay_ms / 1000:.1f} s", "yellow")
            case "gave_up":
                self._line(event.name, "never was ready; everything stops", "red")
            case "killed":
                self._line(event.name, "did not leave in time and was killed", "yellow")
            case "started" | "stopping" | "stopped":
                return

    def up(self, document: Mapping[str, Any], took_ms: int, keys_in: Path) -> None:
        """Everything answers: say where, without any secret."""
        self._console.print(Text(f"Hermes is up after {took_ms / 1000:.1f} s; Ctrl-C stops it.", "bold green"))
        for label, key in ADDRESSES:
            if document.get(key):
                self._line(label, str(document[key]))
        self._line("PostgreSQL", str(document["postgres"]).rpartition("@")[2])
        self._line("metrics", ", ".join(f"{role} {address}" for role, address in document["metrics_by_role"].items()))
        self._line("tenants", ", ".join(f"{tenant['name']} ({tenant['tier']})" for tenant in document["tenants"]))
        self._line("their keys", str(keys_in))
        self._line("state, logs", str(document["state"]))

    def again(self) -> None:
        """Everything answers once more."""
        self._console.print(Text("Everything answers again.", "green"))

    def stopped(self, status: int) -> None:
        """Everything is gone."""
        self._console.print(Text("Hermes has stopped." if status == 0 else "Hermes gave up."))

    def _line(self, name: str, text: str, style: str = "") -> None:
        self._console.print(Text(f"  {name:{NAME_WIDTH}} ").append(text, style or None))


class JsonConsole:
    """One JSON object a line: the events of processes, `up` with addresses but without secrets, and `end`."""

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output or sys.stdout

    def event(self, event: Event) -> None:
        """Every event of a process."""
        self._write(
            {
                "event": event.kind,
                "name": event.name,
                "pid": event.pid,
                "status": event.status,
                "elapsed_ms": event.elapsed_ms,
                "delay_ms": event.delay_ms,
                "last_words": [_printable(line) for line in event.last_words],
            }
        )

    def up(self, document: Mapping[str, Any], took_ms: int, keys_in: Path) -> None:
        """Everything answers."""
        shown = {name: document[name] for name in ("http", "smpp", "smtp", "insight", "metrics", "kafka", "processes")}
        self._write({"event": "up", "took_ms": took_ms, "keys_in": str(keys_in), **shown})

    def again(self) -> None:
        """Everything answers once more."""
        self._write({"event": "again"})

    def stopped(self, status: int) -> None:
        """Everything is gone."""
        self._write({"event": "end", "status": status})

    def _write(self, value: dict[str, Any]) -> None:
        self._output.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._output.flush()


def _status(status: int | None) -> str:
    return f"signal {-status}" if status is not None and status < 0 else f"status {status}"


def _words(event: Event) -> str:
    if not event.last_words:
        return " without a word"
    return "; its last words:" + "".join(f"\n      {_printable(line)}" for line in event.last_words)


def _printable(line: str) -> str:
    """A line without what could move a terminal's cursor."""
    return "".join(c if c.isprintable() else " " for c in line[:MAX_WORDS])
