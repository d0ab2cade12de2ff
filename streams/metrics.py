"""Counts under declared names: bound children of Prometheus metrics, cached, with a bound on what labels can hold."""

import threading
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams.metric_names import METRICS, Metric, MetricName

MAX_TENANTS = 1_000
MAX_VALUES = 200
"""Distinct values of any other label of one metric."""
MAX_VALUE_CHARACTERS = 100
OTHER = "other"

_DECLARED: dict[str, Metric] = {metric.name: metric for metric in METRICS}

Child = Counter | Gauge | Histogram
_Key = tuple[str, tuple[tuple[str, str], ...]]


class UndeclaredMetricError(ValueError):
    """A name, kind or label that the declarations do not have: a mistake in the program."""


class Metrics:
    """The metrics of one process, on one registry; safe to use from threads.

    A metric is registered when it is first asked for. A label's values beyond its bound (1,000 tenants, 200 of anything
    else, a metric) are counted under "other".
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._lock = threading.Lock()
        self._families: dict[str, Child] = {}
        self._children: dict[_Key, Child] = {}
        self._values: dict[tuple[str, str], set[str]] = {}

    def counter(self, name: MetricName, /, **labels: str) -> Counter:
        """The counter with these labels; keep it where it is counted often."""
        child = self._child(name, labels)
        if not isinstance(child, Counter):
            raise UndeclaredMetricError(f"{name} is no counter")
        return child

    def gauge(self, name: MetricName, /, **labels: str) -> Gauge:
        """The gauge with these labels."""
        child = self._child(name, labels)
        if not isinstance(child, Gauge):
            raise UndeclaredMetricError(f"{name} is no gauge")
        return child

    def histogram(self, name: MetricName, /, **labels: str) -> Histogram:
        """The histogram with these labels."""
        child = self._child(name, labels)
        if not isinstance(child, Histogram):
            raise UndeclaredMetricError(f"{name} is no histogram")
        return child

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; UndeclaredMetricError."""
        child = self._child(metric, labels)
        if not isinstance(child, Counter):
            raise UndeclaredMetricError(f"{metric} is no counter")
        child.inc(amount)

    def observe(self, metric: str, value: float, **labels: str) -> None:
        """Put a value into a histogram; UndeclaredMetricError."""
        child = self._child(metric, labels)
        if not isinstance(child, Histogram):
            raise UndeclaredMetricError(f"{metric} is no histogram")
        child.observe(value)

    def set(self, metric: str, value: float, **labels: str) -> None:
        """Set a gauge; UndeclaredMetricError."""
        child = self._child(metric, labels)
        if not isinstance(child, Gauge):
            raise UndeclaredMetricError(f"{metric} is no gauge")
        child.set(value)

    def watch(self, metric: MetricName, read: Callable[[], float], **labels: str) -> None:
        """From now on ask `read` for a gauge's value whenever metrics are read; it has to be quick and never raise."""
        self.gauge(metric, **labels).set_function(read)

    def _child(self, name: str, labels: dict[str, str]) -> Child:
        key = (name, tuple(labels.items()))
        child = self._children.get(key)
        return child if child is not None else self._bind(key, labels)

    def _bind(self, key: _Key, labels: dict[str, str]) -> Child:
        name = key[0]
        declared = _DECLARED.get(name)
        if declared is None:
            raise UndeclaredMetricError(f"{name} is not declared in metric_names")
        if set(labels) != set(declared.labels):
            raise UndeclaredMetricError(f"{name} has the labels {declared.labels}, not {tuple(labels)}")
        with self._lock:
            family = self._families.get(name)
            if family is None:
                family = self._families[name] = _family(declared, self.registry)
            if not labels:
                self._children[key] = family
                return family
            bounded = {label: self._bounded(name, label, value) for label, value in labels.items()}
            child: Child = family.labels(**bounded)
            if bounded == labels:  # what is beyond the bound must not grow the cache either
                self._children[key] = child
            return child

    def _bounded(self, name: str, label: str, value: str) -> str:
        known = self._values.setdefault((name, label), set())
        if value in known:
            return value
        if len(known) >= (MAX_TENANTS if label == "tenant" else MAX_VALUES) or len(value) > MAX_VALUE_CHARACTERS:
            return OTHER
        known.add(value)
        return value


def exposition(registry: CollectorRegistry) -> tuple[bytes, str]:
    """All metrics of a registry in the Prometheus text format, and its content type."""
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _family(metric: Metric, registry: CollectorRegistry) -> Child:
    match metric.kind:
        case "counter":
            return Counter(metric.name, metric.help, metric.labels, registry=registry)
        case "gauge":
            return Gauge(metric.name, metric.help, metric.labels, registry=registry)
        case "histogram":
            return Histogram(metric.name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)
