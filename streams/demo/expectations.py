"""Expectations and what came of them: the values that every scenario hands back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_GOT_CHARS = 400
OPTIONAL = "?"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that has to be true, as a clause; `got` says what was seen, true or not."""

    what: str
    ok: bool
    got: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a message's timeline, `after_ms` after it was accepted; `attempt` is zero for none."""

    message_id: str
    after_ms: int
    event: str
    attempt: int
    channel: str
    detail: str


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario that has run."""

    name: str
    took_ms: int
    expectations: tuple[Expectation, ...]
    timeline: tuple[Line, ...]

    @property
    def ok(self) -> bool:
        """Whether it expected anything, and everything held."""
        return bool(self.expectations) and all(one.ok for one in self.expectations)


@dataclass(slots=True)
class Checks:
    """Collects what a scenario expects and the timelines that it shows."""

    expectations: list[Expectation] = field(default_factory=list)
    timeline: list[Line] = field(default_factory=list)

    def expect(self, what: str, holds: bool, got: object) -> None:
        """Note whether `what` holds."""
        text = str(got)
        shown = text if len(text) <= MAX_GOT_CHARS else f"{text[:MAX_GOT_CHARS]}…"
        self.expectations.append(Expectation(what, bool(holds), shown))

    def equal(self, what: str, got: object, wanted: object) -> None:
        """Note whether `got` is `wanted`, which the sentence then names when it is not."""
        holds = got == wanted
        self.expect(what, holds, got if holds else f"{got} instead of {wanted}")


def failures(results: Sequence[Result]) -> list[str]:
    """A sentence for each expectation that did not hold."""
    found = []
    for one in results:
        if not one.expectations:
            found.append(f"{one.name}: nothing was checked.")
        found += [f"{one.name}: expected that {e.what}, but got {e.got}." for e in one.expectations if not e.ok]
    return found


def follows(wanted: Sequence[str], got: Sequence[str]) -> bool:
    """Whether `got` is `wanted` in order; what ends in `?` there may be missing, nothing else may come between."""
    places = {0}
    for seen in got:
        places = {
            place + 1
            for start in places
            for place in _reachable(wanted, start)
            if place < len(wanted) and wanted[place].removesuffix(OPTIONAL) == seen
        }
    return any(len(wanted) in _reachable(wanted, start) for start in places)


def _reachable(wanted: Sequence[str], start: int) -> list[int]:
    """`start` and every place behind it up to the first that may not be missing."""
    found = [start]
    while start < len(wanted) and wanted[start].endswith(OPTIONAL):
        start += 1
        found.append(start)
    return found
