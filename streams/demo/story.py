"""What stands below the table: a timeline a message, a sentence for each failure, and where to look next."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

from streams.demo.expectations import Line, Result, failures
from streams.demo.stack import CONFIG


def tell(console: Console, results: Sequence[Result], took_ms: int, kept: Path | None) -> None:
    """Print everything; `kept` is the state directory, None for one that is removed."""
    for result in results:
        for message_id, lines in groupby(result.timeline, lambda line: line.message_id):
            console.print()
            console.print(Text(result.name, "bold").append(f"  {message_id}", "dim"))
            for line in lines:
                console.print(Text(f"  {sentence(line)}"))
    console.print()
    broken = failures(results)
    for one in broken:
        console.print(Text(f"FAILED  {one}", "bold red"))
    held = sum(e.ok for one in results for e in one.expectations)
    total = sum(len(one.expectations) for one in results)
    verdict = f"{held} of {total} expectations in {len(results)} scenarios held; it took {took_ms / 1000:.1f} s."
    console.print(Text(verdict, "bold red" if broken else "bold green"))
    console.print()
    for one in where_next(kept):
        console.print(Text(one))


def sentence(line: Line) -> str:
    """A line of a timeline."""
    who = f"{line.attempt} {line.channel}".strip() if line.attempt else ""
    return f"+{line.after_ms / 1000:7.3f} s  {line.event:20} {who:10} {line.detail}".rstrip()


def where_next(kept: Path | None) -> list[str]:
    """Where to look next."""
    state = f" --state {kept} --config {kept / CONFIG}" if kept is not None else ""
    logs = f"logs and books of this run: {kept / 'logs'}, {kept / 'sandbox'}" if kept is not None else ""
    return [
        "Where to look next:",
        f"  hermes up{state}    keeps a stack running; it says where REST is and where the keys are",
        "  http://…/docs    of that REST address: the API page, and /docs/errors for every refusal",
        "  docs/    in the repository; hermes topology draw    every agent and topic on one page",
        f"  {logs}"
        if logs
        else "  hermes demo --state DIR    keeps state, logs and the peers' books for a look afterwards",
    ]
