"""What a measurement gives: lines of a table, each a name, a number and its unit; or an error, and then nothing."""

from dataclasses import dataclass
from typing import Any


class BenchError(Exception):
    """Something went wrong in the run, so that its numbers mean nothing; the message says what."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How long to measure, and how fast the open loop sends."""

    seconds: float
    rate_per_s: int


@dataclass(frozen=True, slots=True)
class Line:
    """One number. `part` groups lines of a result, empty for none."""

    what: str
    value: float
    unit: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement; `note` says what has to be known to read it."""

    name: str
    note: str
    lines: tuple[Line, ...]

    def document(self) -> dict[str, Any]:
        """The same for JSON: numbers by part and name, the unit in the name."""
        found: dict[str, Any] = {"note": self.note}
        for line in self.lines:
            place = found.setdefault(line.part, {}) if line.part else found
            place[f"{line.what} [{line.unit}]"] = round(line.value, 3)
        return found


def table(result: Result) -> str:
    """The result for people."""
    rows = [f"{result.name}: {result.note}"]
    part = ""
    for line in result.lines:
        if line.part != part:
            part = line.part
            rows.append(f"  {part}")
        digits = 0 if abs(line.value) >= 100 else 1 if abs(line.value) >= 10 else 2
        rows.append(f"    {line.what:44}{line.value:>14,.{digits}f} {line.unit}")
    return "\n".join(rows) + "\n"


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank); BenchError for none at all."""
    if not values:
        raise BenchError("nothing was measured")
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
