"""The command line of the simulation: many seeds with their progress and coverage, or one with its history."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from streams.logs import configure
from streams.sim.chaos import run
from streams.sim.examine import Failure, Tally, spread
from streams.sim.faults import FAULTS
from streams.sim.history import history
from streams.sim.promises.check import broken
from streams.sim.promises.seen import look

DEFAULT_SEEDS, MAX_SEEDS = 1_000, 10_000_000
MAX_SEED, MAX_JOBS = 2**63, 64
SAY_EVERY_S: Final = 2.0
MOST_TOLD: Final = 3
"""Failures that are told with their history; of the others the seed is."""


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; status 1 when a promise was broken."""
    options = _parser().parse_args(arguments)
    if options.seed is not None:
        return replay(options.seed, trace=options.trace)
    return campaign(range(options.first_seed, options.first_seed + options.seeds), options.jobs)


def replay(seed: int, *, trace: bool) -> int:
    """Run one seed and say what is broken, after its whole history when that is wanted."""
    configure("sim", "error")
    world = run(seed)
    if trace:
        sys.stdout.writelines(f"{line}\n" for line in history(world))
    found = list(broken(look(world)))
    for one in found:
        sys.stdout.write(f"BROKEN  {one.message_id or 'the lane'}: {one.sentence}\n")
    if not found:
        sys.stdout.write(f"seed {seed}: {len(world.asked)} submissions, every promise held\n")
    return 1 if found else 0


def campaign(seeds: range, jobs: int) -> int:
    """Run seeds until all are done, and tell how it goes."""
    tally, started = Tally(), time.monotonic()
    said = started
    for chunk in spread(seeds, jobs):
        tally.add(chunk)
        for failure in chunk.failures:
            sys.stdout.write(told(failure, with_history=len(tally.failures) <= MOST_TOLD))
        now = time.monotonic()
        if now - said >= SAY_EVERY_S:
            said = now
            sys.stdout.write(f"{tally.seeds} of {len(seeds)} seeds, {_rate(tally.seeds, now - started)}\n")
        sys.stdout.flush()
    sys.stdout.write(summary(tally, seeds, time.monotonic() - started))
    return 1 if tally.failures else 0


def told(failure: Failure, *, with_history: bool) -> str:
    """A failure for a person: the seed, the sentence, the message's history, how to see it again."""
    about = f" {failure.message_id}:" if failure.message_id else ""
    lines = [f"\nseed {failure.seed}:{about} {failure.sentence}", *(failure.history if with_history else ())]
    return "\n".join([*lines, f"see it again: hermes sim --seed {failure.seed} --trace", ""])


def summary(tally: Tally, seeds: range, took_s: float) -> str:
    """What there was, and whether it held."""
    ends = ", ".join(f"{count} {state}" for state, count in sorted(tally.ends.items()))
    lines = [
        f"\nseeds {seeds.start} to {seeds.stop - 1}: {tally.seeds} in {took_s:.1f} s, {_rate(tally.seeds, took_s)}",
        f"{tally.submissions} submissions, {tally.records} records; {ends}",
        "faults that happened:",
        *(f"  {kind:20} {tally.faults[kind]:8}" for kind in FAULTS),
    ]
    broken_seeds = sorted(f.seed for f in tally.failures)
    lines.append(f"BROKEN in {len(broken_seeds)} seeds: {broken_seeds[:20]}" if broken_seeds else "every promise held")
    return "\n".join(lines) + "\n"


def _rate(count: int, seconds: float) -> str:
    return f"{count * 60 / max(seconds, 0.001):.0f} seeds a minute"


def _parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="hermes sim", description=__doc__)
    found.add_argument(
        "--seeds", type=_between(1, MAX_SEEDS), default=DEFAULT_SEEDS, metavar="N", help="how many (1000)"
    )
    found.add_argument("--first-seed", type=_between(0, MAX_SEED), default=0, metavar="K", help="the first of them (0)")
    found.add_argument(
        "--jobs", type=_between(1, MAX_JOBS), default=os.cpu_count() or 1, metavar="J",
        help="processes (one for each processor)",
    )  # fmt: skip
    found.add_argument("--seed", type=_between(0, MAX_SEED), metavar="N", help="run this one alone")
    found.add_argument("--trace", action="store_true", help="with --seed: print its history")
    return found


def _between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"between {least} and {most}")
        return value

    return number
