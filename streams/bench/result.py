"""What a measurement gives: lines of a table, each a name, a number and its unit; or an error, and then nothing."""

from dataclasses import dataclass
from typing import Any


class BenchError(Exception):
    """Something went wrong in the run, so that its numbers mean nothing; the message says what."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How long to measure, how fast the open loop sends, over how many connections, and how much state is built."""

    seconds: float
    rate_per_s: int
    connections: int = 32
    open_connections: int = 64
    batch_connections: int = 4
    rows: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One number. `part` groups lines of a result, empty for none.

    `floor` is the same number for the bare parts alone, measured in the same run; None where there is none.
    """

    what: str
    value: float
    unit: str
    part: str = ""
    floor: float | None = None


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
            if line.floor is not None:
                place[f"{line.what}, bare parts [{line.unit}]"] = round(line.floor, 3)
        return found


def table(result: Result) -> str:
    """The result for people."""
    rows = [f"{result.name}: {result.note}"]
    part = ""
    for line in result.lines:
        if line.part != part:
            part = line.part
            rows.append(f"  {part}")
        row = f"    {line.what:44}{_number(line.value):>14} {line.unit}"
        rows.append(row if line.floor is None else f"{row:84}{_beside(line.value, line.floor)}")
    return "\n".join(rows) + "\n"


def _number(value: float) -> str:
    return f"{value:,.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


def _beside(value: float, floor: float) -> str:
    """The bare parts' number, and how far apart the two are, whichever of them is the larger."""
    low, high = sorted((value, floor))
    return f"bare {_number(floor)}" + (f", {high / low:.1f} times" if low > 0 else "")


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank); BenchError for none at all."""
    if not values:
        raise BenchError("nothing was measured")
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
