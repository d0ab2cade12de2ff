"""Alerts and dashboard speak only of metrics that are declared, with labels that these have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streams.metric_names import METRICS

DEPLOY = Path(__file__).parents[3] / "deploy"
ALERTS = (DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "hermes.json").read_text(encoding="utf-8"))

DECLARED = {metric.name: metric for metric in METRICS}
SERIES = {
    name: metric
    for metric in METRICS
    for name in (
        [metric.name]
        if metric.kind != "histogram"
        else [f"{metric.name}_bucket", f"{metric.name}_sum", f"{metric.name}_count"]
    )
}


def expressions() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def named(text: str) -> set[str]:
    return set(re.findall(r"\bhermes_[a-z_]+", text))


def test_every_metric_of_the_alerts_is_declared() -> None:
    assert named(ALERTS) <= set(SERIES)
    assert len(named(ALERTS)) >= 8


def test_every_metric_of_the_dashboard_is_declared() -> None:
    used = {name for expression in expressions() for name in named(expression)}
    assert used <= set(SERIES)
    assert len(used) >= 25


def test_what_is_grouped_by_is_a_label_of_the_metric() -> None:
    for expression in (*expressions(), *re.findall(r"expr: (.+)", ALERTS)):
        wanted = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in re.split(r",\s*", group)}
        for name in named(expression):
            assert wanted - {"le"} <= set(SERIES[name].labels), expression


def test_a_counter_is_read_as_a_rate() -> None:
    for expression in expressions():
        for name in named(expression):
            if SERIES[name].kind != "gauge":
                assert re.search(rf"(rate|increase)\({name}\b", expression), expression


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(cells)) == len(cells)
