"""The command line of `hermes demo`: the exit status is 0 only when every expectation held."""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from streams.demo.perform import perform
from streams.demo.report import report
from streams.demo.screen import LineScreen, Screen, SilentScreen, TableScreen
from streams.demo.stack import running
from streams.demo.story import tell

EXIT_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo: 0 when everything held, 1 when something did not; the stack is gone when this returns.

    Raises:
        LocalStackError: the stack did not come up.
    """
    options = parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    screen = _screen(console, as_json=options.json)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as Ctrl-C: the stack is stopped, its state removed
    began = time.monotonic()
    with _state(options.state) as state:
        with screen.shown(), running(state, screen.say) as stack:
            results = asyncio.run(perform(stack, screen))
            took_ms = round((time.monotonic() - began) * 1000)
        found = report(results, took_ms)
        if options.json:
            sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        else:
            tell(console, results, took_ms, options.state)
    return 0 if found["ok"] else EXIT_FAILED


def parser() -> argparse.ArgumentParser:
    """The options."""
    found = argparse.ArgumentParser(
        prog="hermes demo", description="Start a fresh stack, send messages of every kind, check what became of each."
    )
    found.add_argument("--json", action="store_true", help="one JSON object at the end, nothing else")
    found.add_argument(
        "--state", type=Path, metavar="DIR", help="keep state and logs there (default: a temporary folder, removed)"
    )
    return found


@contextmanager
def _state(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        yield wanted.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="hermes-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _screen(console: Console, *, as_json: bool) -> Screen:
    if as_json:
        return SilentScreen()
    return TableScreen(console) if console.is_terminal else LineScreen(console)
