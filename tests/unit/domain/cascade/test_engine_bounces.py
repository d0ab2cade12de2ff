"""Receipts and bounces: whose word on route and price counts."""

from dataclasses import replace

from tests.unit.domain.given import after, plan, planned, receipt, sent, started


def test_a_bounce_that_knows_no_route_leaves_route_and_price_of_its_attempt_alone() -> None:
    state = after(started(plan(planned("email"))), sent())
    bounced = replace(receipt(status="failed", code="5.2.2", price=0), carrier="", segments=0, cost_micros=0)
    (attempt,) = after(state, bounced).attempts
    assert (attempt.state, attempt.code) == ("failed", "5.2.2")
    assert (attempt.carrier, attempt.segments, attempt.price_micros, attempt.cost_micros) == ("c1", 1, 40_000, 20_000)


def test_a_carriers_receipt_is_taken_at_its_word_a_price_of_nothing_too() -> None:
    state = after(started(plan(planned("sms"))), sent())
    after_it = after(state, receipt(price=0))
    (attempt,) = after_it.attempts
    assert (attempt.carrier, attempt.price_micros, after_it.charged_micros) == ("c1", 0, 0)
