"""What `hermes demo` shows: a table that fills on a terminal, a line a scenario elsewhere, nothing for machines."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streams.demo.expectations import Result

REFRESH_PER_S = 8
NAME_WIDTH = 60


class Screen(Protocol):
    """Told how the demo goes. `shown` is entered for as long as it does."""

    def shown(self) -> AbstractContextManager[Any]:
        """What is to be entered around the whole."""

    def say(self, text: str) -> None:
        """Something about the stack."""

    def begin(self, names: Sequence[str]) -> None:
        """These scenarios will run."""

    def began(self, name: str) -> None:
        """One has begun."""

    def finished(self, result: Result) -> None:
        """One has ended."""


class SilentScreen:
    """Shows nothing."""

    def shown(self) -> AbstractContextManager[Any]:
        """See Screen."""
        return nullcontext()

    def say(self, text: str) -> None:
        """See Screen."""

    def begin(self, names: Sequence[str]) -> None:
        """See Screen."""

    def began(self, name: str) -> None:
        """See Screen."""

    def finished(self, result: Result) -> None:
        """See Screen."""


@dataclass(frozen=True, slots=True)
class LineScreen:
    """A line for each scenario when it ends."""

    console: Console

    def shown(self) -> AbstractContextManager[Any]:
        """See Screen."""
        return nullcontext()

    def say(self, text: str) -> None:
        """See Screen."""
        self.console.print(Text(f"  {text}"))

    def begin(self, names: Sequence[str]) -> None:
        """See Screen."""
        self.console.print(Text(f"{len(names)} scenarios:"))

    def began(self, name: str) -> None:
        """See Screen."""

    def finished(self, result: Result) -> None:
        """See Screen."""
        verdict = "ok    " if result.ok else "FAILED"
        self.console.print(Text(f"  {verdict} {result.name:{NAME_WIDTH}} {counted(result):>7} {seconds(result):>8}"))


@dataclass(slots=True)
class TableScreen:
    """The table, redrawn as it fills; while the stack starts, the last thing that came up is below it."""

    console: Console
    _rows: dict[str, Result | None] = field(default_factory=dict)
    _running: set[str] = field(default_factory=set)
    _said: str = "the stack starts"
    _live: Live | None = None

    def shown(self) -> AbstractContextManager[Any]:
        """See Screen."""
        self._live = Live(
            get_renderable=self.table,
            console=self.console,
            refresh_per_second=REFRESH_PER_S,
            vertical_overflow="ellipsis",
        )
        return self._live

    def say(self, text: str) -> None:
        """See Screen."""
        self._said = text

    def begin(self, names: Sequence[str]) -> None:
        """See Screen."""
        self._said = ""
        self._rows = dict.fromkeys(names)

    def began(self, name: str) -> None:
        """See Screen."""
        self._running.add(name)

    def finished(self, result: Result) -> None:
        """See Screen."""
        self._running.discard(result.name)
        self._rows[result.name] = result

    def table(self) -> Table:
        """The table as it is now."""
        table = Table(title="Hermes demo", caption=self._said, title_justify="left", caption_justify="left")
        table.add_column("")
        table.add_column("scenario")
        table.add_column("expectations", justify="right")
        table.add_column("took", justify="right")
        for name, result in list(self._rows.items()):
            if result is None:
                mark = Text("…", "yellow") if name in self._running else Text("·", "dim")
                table.add_row(mark, name, "", "")
            else:
                mark = Text("✓", "green") if result.ok else Text("✗", "bold red")
                table.add_row(mark, name, counted(result), seconds(result))
        return table


def counted(result: Result) -> str:
    """How many expectations held, of how many."""
    return f"{sum(one.ok for one in result.expectations)}/{len(result.expectations)}"


def seconds(result: Result) -> str:
    """How long it took."""
    return f"{result.took_ms / 1000:.2f} s"
