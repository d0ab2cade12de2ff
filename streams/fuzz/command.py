"""The command line of `hermes fuzz`: shares the time among the targets, prints their scores, keeps what was found."""

import argparse
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from domain.errors import ConfigError
from streams.fuzz.engine import Finding, Score, fuzz, peak_octets, replay
from streams.fuzz.target import Target
from streams.fuzz.targets import TARGETS

ROUNDS: Final = 4
"""Each target gets its time in so many turns, so that a run that is broken off has seen them all."""
MAX_SEED_FILES: Final = 1_000
MAX_SEED_OCTETS: Final = 1024 * 1024
_MEBIBYTE: Final = 1024 * 1024


def main(arguments: Sequence[str]) -> int:
    """Fuzz, and print a line a target; status 1 when anything was found."""
    options = _parser().parse_args(arguments)
    unknown = [name for name in options.only if name not in TARGETS]
    if unknown:
        raise ConfigError(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    targets = [_seeded(TARGETS[name], options.corpus) for name in options.only or TARGETS]
    with _quiet():
        if options.replay is not None:
            return replayed(targets, options.replay)
        return campaign(targets, options.seed, options.minutes * 60, options.inputs, options.findings)


def campaign(targets: Sequence[Target], seed: int, seconds: float, inputs: int, folder: Path) -> int:
    """Fuzz the targets for so long together; what was found is in the folder, and the status is 1."""
    sys.stdout.write(f"seed {seed}\n{_HEADLINE}\n")
    scores = _run(targets, seed, seconds, inputs)
    for score in scores:
        sys.stdout.write(_line(score))
    found = [finding for score in scores for finding in score.findings]
    for finding in found:
        sys.stdout.write(_kept(finding, seed, folder))
    total = sum(score.inputs for score in scores)
    sys.stdout.write(f"{total} inputs, {len(found)} findings, peak {peak_octets() // _MEBIBYTE} MiB\n")
    return 1 if found else 0


def replayed(targets: Sequence[Target], path: Path) -> int:
    """Give the targets the input in the file; status 1 when one does not stand it. Raises ConfigError without the file."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    findings = [finding for target in targets if (finding := replay(target, octets)) is not None]
    for finding in findings:
        sys.stdout.write(f"{finding.target}: {finding.what}\n{finding.trace}")
    sys.stdout.write(f"{len(findings)} findings\n")
    return 1 if findings else 0


@contextmanager
def _quiet() -> Iterator[None]:
    """Sessions log what strangers do; here that would be all the output."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hermes fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, metavar="M", help="for all targets together (1)")
    parser.add_argument("--inputs", type=int, default=1 << 62, metavar="N", help="for all targets together, at most")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed makes the same inputs (1)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this target; may be repeated")
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="more seeds: files in DIR/NAME")
    parser.add_argument("--findings", type=Path, default=Path(".hermes/fuzz"), metavar="DIR", help="where findings go")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="give the targets this one input")
    return parser


def _seeded(target: Target, corpus: Path | None) -> Target:
    """The target with the corpus's files for it among its seeds."""
    folder = corpus / target.name if corpus is not None else None
    if folder is None or not folder.is_dir():
        return target
    files = [path for path in sorted(folder.iterdir())[:MAX_SEED_FILES] if path.is_file()]
    return replace(target, seeds=target.seeds + tuple(path.read_bytes()[:MAX_SEED_OCTETS] for path in files))


def _run(targets: Sequence[Target], seed: int, seconds: float, inputs: int) -> list[Score]:
    scores = {target.name: Score(target.name) for target in targets}
    known: dict[str, set[str]] = {target.name: set() for target in targets}
    turn_s, turn_inputs = seconds / len(targets) / ROUNDS, max(1, inputs // len(targets) // ROUNDS)
    for _ in range(ROUNDS):
        for target in targets:
            whole = scores[target.name]
            part = fuzz(target, seed, turn_inputs, time.monotonic() + turn_s, known[target.name], first=whole.inputs)
            _add(whole, part)
    return list(scores.values())


def _add(whole: Score, part: Score) -> None:
    whole.inputs += part.inputs
    whole.seconds += part.seconds
    whole.peak_octets = part.peak_octets
    whole.findings += part.findings
    if part.slowest_ms > whole.slowest_ms:
        whole.slowest_ms, whole.slowest_number = part.slowest_ms, part.slowest_number


_HEADLINE: Final = f"{'target':16}{'inputs':>10}{'per s':>9}{'slowest':>12}{'input':>10}{'peak MiB':>10}  findings"


def _line(score: Score) -> str:
    speed = score.inputs / score.seconds if score.seconds else 0.0
    return (
        f"{score.target:16}{score.inputs:10}{speed:9.0f}{score.slowest_ms:9.1f} ms{score.slowest_number:10}"
        f"{score.peak_octets // _MEBIBYTE:10}  {len(score.findings)}\n"
    )


def _kept(finding: Finding, seed: int, folder: Path) -> str:
    """Write the input and what is known of it; two lines about it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{finding.target}-{seed}-{finding.number}.bin"
    path.write_bytes(finding.octets)
    again = f"hermes fuzz --only {finding.target} --replay {path}"
    note = f"{finding.what}\nseed {seed}, input {finding.number}\n{again}\n\n{finding.trace}"
    path.with_suffix(".txt").write_text(note, encoding="utf-8")
    return f"found  {finding.target}: {finding.what}\n       {again}\n"
