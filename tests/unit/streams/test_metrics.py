"""Metrics: declared names only, bounded labels, a readable exposition."""

import ast
import http.client
from pathlib import Path
from typing import cast, get_args

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from streams.metric_names import METRICS, MetricName
from streams.metrics import MAX_TENANTS, MAX_VALUES, Metrics, UndeclaredMetricError, exposition
from streams.metrics_server import serve_metrics


def samples(metrics: Metrics, name: str) -> dict[str, float]:
    body, _ = exposition(metrics.registry)
    families = text_string_to_metric_families(body.decode())
    return {",".join(s.labels.values()): s.value for f in families for s in f.samples if s.name == name}


def test_each_name_is_declared_once_and_every_declaration_is_a_name() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    assert set(names) == set(get_args(MetricName))


def test_the_program_uses_each_metric_as_what_it_is() -> None:
    """Each call with a literal name, anywhere in the packages: the kind and the labels are the declared ones."""
    declared = {metric.name: metric for metric in METRICS}
    kinds = {"count": "counter", "counter": "counter", "observe": "histogram", "histogram": "histogram"}
    kinds |= {"set": "gauge", "gauge": "gauge", "watch": "gauge"}
    root = Path(__file__).parents[3]
    calls = 0
    for package in ("agents", "ingress", "egress", "streams"):
        for file in (root / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(ast.Attribute(_, how), [ast.Constant(str(name)), *_], keywords) if name.startswith(
                        "hermes_"
                    ):
                        metric = declared[cast(MetricName, name)]
                        assert kinds[how] == metric.kind, f"{file}: {name}"
                        given = {keyword.arg for keyword in keywords} - {"amount", "value", "read"}
                        assert given == set(metric.labels), f"{file}: {name}"
                        calls += 1
    assert calls > 10


def test_every_declared_metric_can_be_registered_and_read() -> None:
    metrics = Metrics(CollectorRegistry())
    for metric in METRICS:
        labels = dict.fromkeys(metric.labels, "x")
        match metric.kind:
            case "counter":
                metrics.count(metric.name, 2, **labels)
            case "gauge":
                metrics.set(metric.name, 2, **labels)
            case "histogram":
                assert list(metric.buckets) == sorted(set(metric.buckets))
                metrics.observe(metric.name, 2, **labels)
        suffix = "_sum" if metric.kind == "histogram" else ""
        assert samples(metrics, metric.name + suffix) == {",".join("x" for _ in metric.labels): 2}


def test_a_child_is_bound_once() -> None:
    metrics = Metrics(CollectorRegistry())
    child = metrics.counter("hermes_api_requests_total", endpoint="/v1/messages", method="POST", status="202")
    assert child is metrics.counter("hermes_api_requests_total", endpoint="/v1/messages", method="POST", status="202")


def test_the_thousand_and_first_tenant_is_counted_under_other() -> None:
    metrics = Metrics(CollectorRegistry())
    for tenant in range(MAX_TENANTS + 5):
        metrics.count("hermes_rate_limit_hits_total", tenant=f"t{tenant}")
    metrics.count("hermes_rate_limit_hits_total", tenant="t0")
    found = samples(metrics, "hermes_rate_limit_hits_total")
    assert (len(found), found["other"], found["t0"]) == (MAX_TENANTS + 1, 5, 2)


def test_labels_from_outside_are_bounded_in_number_and_length() -> None:
    metrics = Metrics(CollectorRegistry())
    for reason in [*(f"r{n}" for n in range(MAX_VALUES - 1)), "x" * 1000]:
        metrics.count("hermes_validation_rejections_total", layer="5", reason=reason)
    found = samples(metrics, "hermes_validation_rejections_total")
    assert (len(found), found["5,other"]) == (MAX_VALUES, 1)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("hermes_no_such_total", {}),
        ("hermes_rate_limit_hits_total", {"who": "t"}),
        ("hermes_validation_pass_total", {"a": "b"}),
    ],
)
def test_an_undeclared_name_or_label_is_a_mistake(name: str, labels: dict[str, str]) -> None:
    with pytest.raises(UndeclaredMetricError):
        Metrics(CollectorRegistry()).count(name, 1, **labels)


def test_a_gauge_is_no_counter() -> None:
    metrics = Metrics(CollectorRegistry())
    with pytest.raises(UndeclaredMetricError):
        metrics.count("hermes_timers_pending")
    with pytest.raises(UndeclaredMetricError):
        metrics.set("hermes_timer_lag_seconds", 1)
    with pytest.raises(UndeclaredMetricError):
        metrics.observe("hermes_timers_pending", 1)


def test_a_watched_gauge_is_asked_when_metrics_are_read() -> None:
    metrics, pending = Metrics(CollectorRegistry()), [7]
    metrics.watch("hermes_timers_pending", lambda: pending[0])
    pending[0] = 9
    assert samples(metrics, "hermes_timers_pending") == {"": 9}


def test_the_server_shows_metrics_and_nothing_else() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.count("hermes_validation_pass_total")
    server = serve_metrics(metrics.registry)
    try:
        answers = []
        for path in ("/metrics", "/"):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
            connection.request("GET", path)
            answer = connection.getresponse()
            answers.append((answer.status, b"hermes_validation_pass_total 1.0" in answer.read()))
            connection.close()
    finally:
        server.stop()
    assert answers == [(200, True), (404, False)]
