"""Configuration as JSON, there and back."""

import pytest

from domain.cascade.rule import Backoff, CascadeRule, DeliveryWindow, Step
from domain.tenant import QuietHours, Route, Tenant
from ingress.values import ROUTES, RULES, TENANTS, is_storable, json_of


def test_values_come_back_as_they_were() -> None:
    tenant = Tenant(
        "acme", "Acme", "enterprise", "active", quiet_hours=QuietHours(1320, 480), blocked_phrases=("a", "b")
    )
    window = DeliveryWindow(480, 1200, days=(1, 2))
    rule = CascadeRule("r", "acme", "R", (Step("sms", backoff=Backoff("fixed", 5), window=window),))
    route = Route("r", "email", "", "default", 1, 1, test=True)
    assert TENANTS.validate_json(json_of(TENANTS, tenant)) == tenant
    assert RULES.validate_json(json_of(RULES, rule)) == rule
    assert ROUTES.validate_json(json_of(ROUTES, route)) == route


def test_a_row_from_before_a_field_was_added_takes_the_default() -> None:
    row = '{"tenant_id": "acme", "name": "Acme", "tier": "starter", "status": "active"}'
    assert TENANTS.validate_json(row) == Tenant("acme", "Acme", "starter", "active")


@pytest.mark.parametrize(("text", "storable"), [("", True), ("æ😀?", True), ("a\0", False), ("\udc80", False)])
def test_text_that_postgresql_does_not_take_is_recognised(text: str, storable: bool) -> None:
    assert is_storable("fine", text) is storable
