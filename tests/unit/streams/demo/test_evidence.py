"""Counters in what Prometheus reads."""

from streams.demo.evidence import counter_in

EXPOSITION = """# TYPE hermes_validation_rejections_total counter
hermes_validation_rejections_total{layer="0",reason="idempotency_key_reused"} 2.0
hermes_validation_rejections_total{layer="5",reason="validation_failed"} 3.0
hermes_validation_rejections_total{layer="5",reason="other"} 4.0
"""


def test_a_counter_is_summed_over_the_samples_that_have_the_labels() -> None:
    name = "hermes_validation_rejections_total"
    assert counter_in(EXPOSITION, name, {"layer": "0"}) == 2
    assert counter_in(EXPOSITION, name, {"layer": "5"}) == 7
    assert counter_in(EXPOSITION, name, {"layer": "7"}) == 0
    assert counter_in(EXPOSITION, "hermes_other_total", {}) == 0
