"""What a batch counts and measures, summed up and told to the meter once, at its end."""

from collections.abc import Callable
from typing import Any

Measured = tuple[Any, ...]
"""The name of a metric, then its labels as pairs."""


class Sums:
    """Counts are added up, of a gauge the last value counts."""

    def __init__(self) -> None:
        self._counts: dict[Measured, float] = {}
        self._gauges: dict[Measured, float] = {}

    def count(self, metric: str, amount: float, labels: dict[str, str]) -> None:
        """Add to a counter."""
        key = (metric, *labels.items())
        self._counts[key] = self._counts.get(key, 0) + amount

    def gauge(self, metric: str, value: float, labels: dict[str, str]) -> None:
        """Set a gauge."""
        self._gauges[metric, *labels.items()] = value

    def tell(self, count: Callable[..., None], gauge: Callable[..., None]) -> None:
        """Tell what there is, and begin anew."""
        for (metric, *labels), amount in self._counts.items():
            count(metric, amount, **dict(labels))
        for (metric, *labels), value in self._gauges.items():
            gauge(metric, value, **dict(labels))
        self._counts.clear()
        self._gauges.clear()
