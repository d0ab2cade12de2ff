"""The command line of the bench: runs what is asked for, prints a table, writes JSON; what erred is not reported."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from streams.bench import carrier, codec, growth, hop, mail, overload, path, start, steps, timers, two
from streams.bench.machine import Machine
from streams.bench.result import BenchError, Result, Wanted, table
from streams.logs import configure

Bench = Callable[[Wanted], Result]

BENCHES: Final[dict[str, Bench]] = {
    "codec": codec.run,
    "hop": hop.run,
    "carrier": carrier.run,
    "mail": mail.run,
    "path": path.run,
    "steps": steps.run,
    "overload": overload.run,
    "two": two.run,
    "timers": timers.run,
    "growth": growth.run,
    "start": start.run,
}
DEFAULT_SECONDS, MAX_SECONDS = 10.0, 600.0
DEFAULT_RATE, MAX_RATE = 500, 20_000
MAX_CONNECTIONS: Final = 10_000
MAX_ROWS: Final = 5_000_000
JSON_FILE: Final = Path("bench.json")


def main(arguments: Sequence[str]) -> int:
    """Measure; status 1 when an error happened in a run, which is then not reported."""
    options = parser().parse_args(arguments)
    configure("bench", "warning")
    wanted = wanted_of(options)
    machine = Machine.now()
    sys.stdout.write(f"{machine}\n{options.seconds:g} s a measurement\n")
    benches = {options.only: BENCHES[options.only]} if options.only else BENCHES
    results, failures = measure(benches, wanted)
    if options.json is not None:
        document = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine.document(),
            "wanted": asdict(wanted),
            "results": {result.name: result.document() for result in results},
            "not_reported": failures,
        }
        options.json.write_text(json.dumps(document, indent=2) + "\n")
        sys.stdout.write(f"\n{options.json}\n")
    return 1 if failures else 0


def measure(benches: Mapping[str, Bench], wanted: Wanted) -> tuple[list[Result], dict[str, str]]:
    """Run them in turn and print each; what went wrong, by name, for those that cannot be reported."""
    results: list[Result] = []
    failures: dict[str, str] = {}
    for name, bench in benches.items():
        sys.stdout.flush()
        load, began_s = os.getloadavg()[0], time.monotonic()
        try:
            results.append(bench(wanted))
            took_s = time.monotonic() - began_s
            sys.stdout.write(f"\n{table(results[-1])}    took {took_s:.0f} s, load average {load:.2f} at its start\n")
        except BenchError as error:
            failures[name] = str(error)
            sys.stdout.write(f"\n{name}: not reported, for there were errors: {error}\n")
    return results, failures


def wanted_of(options: argparse.Namespace) -> Wanted:
    """What the options ask for."""
    return Wanted(
        options.seconds,
        options.rate,
        options.connections,
        options.open_connections,
        options.batch_connections,
        options.rows,
    )


def parser() -> argparse.ArgumentParser:
    """Every option with its limits."""
    found = argparse.ArgumentParser(prog="hermes bench", description=__doc__)
    found.add_argument("--seconds", type=_seconds, default=DEFAULT_SECONDS, help="of each measurement (default: 10)")
    rate, usual = _number(MAX_RATE), Wanted(DEFAULT_SECONDS, DEFAULT_RATE)
    found.add_argument("--rate", type=rate, default=DEFAULT_RATE, help="messages a second of the open loop (500)")
    for name, most, meaning in (
        ("connections", MAX_CONNECTIONS, "connections of the closed loop"),
        ("open_connections", MAX_CONNECTIONS, "connections of the open loop"),
        ("batch_connections", MAX_CONNECTIONS, "connections of the batches"),
        ("rows", MAX_ROWS, "messages or timers of state, where a measurement builds some"),
    ):
        default = getattr(usual, name)
        flag = f"--{name.replace('_', '-')}"
        found.add_argument(flag, type=_number(most), default=default, help=f"{meaning} ({default})")
    found.add_argument("--only", choices=tuple(BENCHES), help="one measurement")
    found.add_argument(
        "--json", type=Path, nargs="?", const=JSON_FILE, metavar="FILE", help=f"write it all to a file ({JSON_FILE})"
    )
    return found


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"between 0.1 and {MAX_SECONDS:g}")
    return value


def _number(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not 1 <= value <= most:
            raise argparse.ArgumentTypeError(f"between 1 and {most}")
        return value

    return number
