"""The command line of the bench: runs what is asked for, prints a table, writes JSON; what erred is not reported."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from streams.bench import codec, hop, path
from streams.bench.machine import Machine
from streams.bench.result import BenchError, Result, Wanted, table

Bench = Callable[[Wanted], Result]

BENCHES: Final[dict[str, Bench]] = {"codec": codec.run, "hop": hop.run, "path": path.run}
DEFAULT_SECONDS, MAX_SECONDS = 10.0, 600.0
DEFAULT_RATE, MAX_RATE = 500, 20_000
JSON_FILE: Final = Path("bench.json")


def main(arguments: Sequence[str]) -> int:
    """Measure; status 1 when an error happened in a run, which is then not reported."""
    options = _parser().parse_args(arguments)
    wanted = Wanted(options.seconds, options.rate)
    machine = Machine.now()
    sys.stdout.write(f"{machine}\n{options.seconds:g} s a measurement\n")
    benches = {options.only: BENCHES[options.only]} if options.only else BENCHES
    results, failures = measure(benches, wanted)
    if options.json is not None:
        document = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine.document(),
            "seconds": options.seconds,
            "rate_per_s": options.rate,
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
        try:
            results.append(bench(wanted))
            sys.stdout.write("\n" + table(results[-1]))
        except BenchError as error:
            failures[name] = str(error)
            sys.stdout.write(f"\n{name}: not reported, for there were errors: {error}\n")
    return results, failures


def _parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="hermes bench", description=__doc__)
    found.add_argument("--seconds", type=_seconds, default=DEFAULT_SECONDS, help="of each measurement (default: 10)")
    found.add_argument("--rate", type=_rate, default=DEFAULT_RATE, help="messages a second of the open loop (500)")
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


def _rate(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MAX_RATE:
        raise argparse.ArgumentTypeError(f"between 1 and {MAX_RATE}")
    return value
