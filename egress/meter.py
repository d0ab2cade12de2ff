"""Where the ways out count: a metric's name, its labels, and what happened."""

from typing import Protocol


class Meter(Protocol):
    """Counts and gauges under declared metric names."""

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        ...

    def set(self, metric: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        ...


class Unmetered:
    """A meter for those who do not want to know."""

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Nothing."""

    def set(self, metric: str, value: float, **labels: str) -> None:
        """Nothing."""
