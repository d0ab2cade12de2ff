"""The report of a dry run."""

import json
from dataclasses import replace

from domain.routing.select import select
from domain.validation.explain import explain
from domain.validation.mask import masked
from domain.validation.order import LAYERS
from domain.verdict import Defer, Reject
from tests.unit.domain.given import EMAIL, HOUR, NOW, PHONE, facts, plan, planned, route, submission


def test_the_report_of_a_good_message_tells_plan_routes_price_and_shifts() -> None:
    outcomes = [(n, name, None if n != 6 else Defer((0, NOW + HOUR), "quiet_hours")) for n, name, _ in LAYERS]
    frozen = plan(planned("email", 1_000), replace(planned(), not_before_ms=NOW + HOUR))
    decision = select((route("a"), route("b", price=9)), {}, "msg-1", "t1", 0, "sms", 1, NOW, frozenset())
    text = explain(submission(), facts(), outcomes, frozen, [decision])
    report = json.loads(text)

    assert report["valid"] is True
    assert [layer["outcome"] for layer in report["layers"]] == ["pass"] * 6 + ["defer"] + ["pass"] * 2
    assert report["plan"]["steps"][1]["not_before"] == "2026-01-05T13:00:00.000Z"
    assert report["time_shifts"] == [{"step": 1, "not_before": "2026-01-05T13:00:00.000Z", "reason": "quiet_hours"}]
    assert report["price"]["reserved_micros"] == 50_000
    assert [(c["route_id"], c["chosen"], c["reason"]) for c in report["routes"][0]["candidates"]] == [
        ("b", True, ""), ("a", False, "cost"),
    ]  # fmt: skip
    assert EMAIL not in text
    assert PHONE not in text
    assert "cost_micros" not in text


def test_the_report_of_a_refusal_tells_what_and_which_layers_did_not_run() -> None:
    reject = Reject(4, "insufficient_balance", "Prepaid balance exhausted.", required_micros=5)
    outcomes = [(0, "idempotency", None), (4, "balance", reject)]
    report = json.loads(explain(submission(), facts(tenant=None, account=None), outcomes, None, ()))

    assert (report["valid"], report["code"], report["plan"]) == (False, "insufficient_balance", None)
    refused = report["layers"][1]
    assert (refused["status"], refused["balance_micros"], refused["required_micros"]) == (402, 0, 5)
    assert {layer["outcome"] for layer in report["layers"][2:]} == {"not_run"}


def test_a_time_that_no_calendar_holds_does_not_raise() -> None:
    report = json.loads(explain(submission(), facts(), [], plan(send_at_ms=10**20), ()))
    assert report["plan"]["send_at"] == ""


def test_addresses_are_masked() -> None:
    assert [masked(a) for a in (EMAIL, PHONE, "token-1234", "", "+1")] == [
        "a***@example.com", "+45******56", "toke***", "", "+1***",
    ]  # fmt: skip
