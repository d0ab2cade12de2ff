"""The command line of `hermes crash`: 0 when every checker is content, 1 when one is not."""

import argparse
import asyncio
import json
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from domain.errors import ConfigError
from streams.crash.campaign import Outcome, UncheckedError, Wanted, campaign
from streams.crash.faults import FAULTS
from streams.crash.plan import MAX_KILLS, Victim, plan
from streams.crash.prove import prove
from streams.crash.report import document, lines

EXIT_FAILED: Final = 1
DEFAULT_KILLS, DEFAULT_SEED, DEFAULT_MINUTES, DEFAULT_RATE = 25, 1, 30.0, 25.0
MAX_MINUTES, MAX_RATE = 24 * 60.0, 2_000.0


def main(arguments: Sequence[str]) -> int:
    """Run a campaign, or prove the checkers: 0 when all is well, 1 when not; the stack is gone when this returns.

    Raises:
        ConfigError: the state was used before.
        LocalStackError: the stack did not come up.
    """
    options = parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as Ctrl-C: the stack is stopped, its state removed
    run_id = secrets.token_hex(2)
    with _state(options.state) as state:
        kept = options.state.absolute() / "evidence" if options.state else _evidence(options.seed, run_id)
        external: frozenset[Victim] = frozenset({"kafka"} if options.kafka else ())
        external |= frozenset({"postgres"} if options.postgres else ())
        blows = plan(options.seed, options.kills, external=external)
        wanted = Wanted(
            state, run_id, options.seed, blows, options.minutes, options.rate, kept, options.kafka, options.postgres
        )
        try:
            ok = _prove(wanted, options.json) if options.prove_checkers else _attack(wanted, options.json)
        except UncheckedError as error:
            say(str(error))
            ok = False
    return 0 if ok else EXIT_FAILED


def _attack(wanted: Wanted, file: Path | None) -> bool:
    """One campaign; whether every checker is content."""
    outcome = _run(wanted)
    for line in lines(outcome):
        say(line)
    _write(file, document(wanted.seed, outcome))
    return outcome.ok


def _prove(wanted: Wanted, file: Path | None) -> bool:
    """One small campaign a fault; whether each was found."""
    proofs = prove(wanted, FAULTS, _run, say)
    ok = all(one.ok for one in proofs)
    _write(file, {"ok": ok, "proofs": {one.fault: one.caught_by for one in proofs}})
    return ok


def parser() -> argparse.ArgumentParser:
    """The options."""
    found = argparse.ArgumentParser(
        prog="hermes crash",
        description="Start Hermes, load it by REST, SMPP and SMTP, kill its processes at random, and check that every"
        " accepted message ended once, was sent once, told once and charged once.",
    )
    found.add_argument("--kills", type=_whole, default=DEFAULT_KILLS, metavar="N", help="blows (default: 25)")
    found.add_argument(
        "--seed", type=int, default=DEFAULT_SEED, metavar="S", help="the plan follows from it (default: 1)"
    )
    found.add_argument(
        "--minutes",
        type=_minutes,
        default=DEFAULT_MINUTES,
        metavar="M",
        help="no blow begins after these (default: 30)",
    )
    found.add_argument("--rate", type=_rate, default=DEFAULT_RATE, metavar="R", help="messages a second (default: 25)")
    found.add_argument(
        "--kafka", default="", metavar="HOST:PORT",
        help="a Kafka that exists already, which is not killed; with sessions longer than six seconds a stopped process"
        " is not replaced",
    )  # fmt: skip
    found.add_argument(
        "--postgres", default="", metavar="DSN", help="a PostgreSQL that exists already, which is not killed"
    )
    found.add_argument(
        "--state", type=Path, metavar="DIR", help="an empty folder that is kept (default: a temporary one, removed)"
    )
    found.add_argument("--json", type=Path, metavar="FILE", help="write what came of it there, too")
    found.add_argument(
        "--prove-checkers", action="store_true",
        help="instead of a campaign: put each known fault into the pipeline and see that a checker finds it",
    )  # fmt: skip
    return found


def say(line: str) -> None:
    """Tell people."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _run(wanted: Wanted) -> Outcome:
    wanted.state.mkdir(parents=True, exist_ok=True)
    return asyncio.run(campaign(wanted, say))


def _evidence(seed: int, run_id: str) -> Path:
    return Path(tempfile.gettempdir()) / f"hermes-crash-evidence-{seed}-{run_id}"


@contextmanager
def _state(wanted: Path | None) -> Iterator[Path]:
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="hermes-crash-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    elif wanted.exists() and any(wanted.iterdir()):
        raise ConfigError(f"{wanted} is not empty: a campaign needs a state of its own")
    else:
        yield wanted.absolute()


def _write(path: Path | None, value: dict[str, object]) -> None:
    if path is not None:
        path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _whole(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MAX_KILLS:
        raise argparse.ArgumentTypeError(f"between 1 and {MAX_KILLS}")
    return value


def _minutes(text: str) -> float:
    value = float(text)
    if not 0 < value <= MAX_MINUTES:
        raise argparse.ArgumentTypeError(f"up to {MAX_MINUTES:g}")
    return value


def _rate(text: str) -> float:
    value = float(text)
    if not 0 < value <= MAX_RATE:
        raise argparse.ArgumentTypeError(f"up to {MAX_RATE:g}")
    return value
