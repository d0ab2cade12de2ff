"""The metrics of the REST gateway, on a Prometheus registry."""

from collections.abc import Callable
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

Metric = Literal["hermes_api_requests_total", "hermes_api_latency_seconds", "hermes_api_active_connections"]

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_REQUESTS: Final[Metric] = "hermes_api_requests_total"
_LATENCY: Final[Metric] = "hermes_api_latency_seconds"
_CONNECTIONS: Final[Metric] = "hermes_api_active_connections"


class PrometheusMeter:
    """A Meter whose numbers live in `registry`; at most one on each registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._requests = Counter(_REQUESTS, "API requests", ("endpoint", "method", "status"), registry=registry)
        self._latency = Histogram(_LATENCY, "Request latency", ("endpoint",), registry=registry, buckets=BUCKETS_S)
        self._connections = Gauge(_CONNECTIONS, "Open HTTP connections", registry=registry)
        self._bound: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def request(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; the labels are bound once."""
        place = (endpoint, method, status)
        bound = self._bound.get(place)
        if bound is None:
            bound = (self._requests.labels(endpoint, method, str(status)), self._latency.labels(endpoint))
            self._bound[place] = bound
        bound[0].inc()
        bound[1].observe(seconds)

    def watch_connections(self, count: Callable[[], int]) -> None:
        """Ask `count` whenever the metrics are read."""
        self._connections.set_function(count)

    def exposition(self) -> tuple[bytes, str]:
        """Everything on the registry."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
