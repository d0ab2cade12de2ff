"""What `hermes crash` says at the end: a line a checker, the times to recover by kind, and the same as JSON."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from streams.crash.campaign import Outcome
from streams.crash.checks import Check, submitted_again
from streams.crash.strike import Struck

MAX_SHOWN: Final = 5
NAME_WIDTH: Final = 54


def checker_lines(checks: Iterable[Check]) -> list[str]:
    """A line for each checker with its count, and the first things that are wrong."""
    found: list[str] = []
    for one in checks:
        found.append(f"  {'ok    ' if one.ok else 'FAILED'} {one.name:{NAME_WIDTH}} {one.counted:>7} checked")
        found += [f"           {whom} {what}".replace("  ", " ", 1) for whom, what in one.wrong[:MAX_SHOWN]]
        if len(one.wrong) > MAX_SHOWN:
            found.append(f"           and {len(one.wrong) - MAX_SHOWN} more")
        if not one.counted:
            found.append("           there was nothing to check")
    return found


def recoveries(struck: Sequence[Struck]) -> dict[str, dict[str, int]]:
    """By kind of blow: how many, the median and the longest time to recover in ms; -1 for never."""
    times = defaultdict[str, list[int]](list)
    for one in struck:
        times[one.blow.name].append(-1 if one.recovered_ms is None else one.recovered_ms)
    return {
        name: {
            "blows": len(found),
            "p50_ms": sorted(found)[(len(found) - 1) // 2],
            "max_ms": -1 if -1 in found else max(found),
        }
        for name, found in sorted(times.items())
    }


def lines(outcome: Outcome) -> list[str]:
    """Everything, for people."""
    found = ["", f"  {'blow':40} {'times':>5} {'p50':>8} {'max':>8}   until a message reaches its end again"]
    for name, one in recoveries(outcome.struck).items():
        longest = "never" if one["max_ms"] < 0 else f"{one['max_ms'] / 1000:.2f} s"
        found.append(f"  {name:40} {one['blows']:>5} {one['p50_ms'] / 1000:>6.2f} s {longest:>8}")
    books = outcome.books
    unknown, peers = sum(books.unknown.values()), sum(map(len, books.carrier.values())) + books.mails.total()
    found += ["", *checker_lines(outcome.checks), ""]
    found.append(
        f"  {len(outcome.struck)} blows, {len(books.ids)} messages accepted, {outcome.repeats} requests repeated,"
        f" {peers} attempts taken by peers, {unknown} counted unknown, {submitted_again(books)} of them taken twice;"
        f" {outcome.took_s:.0f} s"
    )
    if outcome.evidence is not None:
        found.append(f"  what was kept of the failure: {outcome.evidence}")
    return found


def document(seed: int, outcome: Outcome) -> dict[str, Any]:
    """Everything, for machines."""
    books = outcome.books
    return {
        "ok": outcome.ok,
        "seed": seed,
        "blows": len(outcome.struck),
        "accepted": len(books.ids),
        "repeats": outcome.repeats,
        "unknown": sum(books.unknown.values()),
        "taken_twice": submitted_again(books),
        "took_s": round(outcome.took_s, 1),
        "recovery": recoveries(outcome.struck),
        "checkers": [
            {"name": one.name, "ok": one.ok, "counted": one.counted, "wrong": [list(each) for each in one.wrong]}
            for one in outcome.checks
        ],
        "evidence": None if outcome.evidence is None else str(outcome.evidence),
    }
