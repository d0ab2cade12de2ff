"""Each layer of admission refuses what it is there for, and a refusal leaves nothing behind."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.billing.money import Grant
from domain.errors import Code, FieldError
from domain.message import Recipient
from domain.tenant import ApiKey, QuietHours, Tenant
from schemas.topics import BILLING, LEDGER, STATUS, VERDICTS
from streams.sim.egress import Behaviour
from streams.sim.lane import KEY, TENANT, request
from streams.sim.promises.check import check
from streams.sim.world import World
from tests.sim.test_scenarios import MINUTE, SMS_MICROS, TEXT, lane

Change = Callable[[World], dict[str, Any]]


def _tenant(**changes: Any) -> Change:
    def change(world: World) -> dict[str, Any]:
        world.configure(replace(TENANT, **changes))
        return {}

    return change


def _key(**changes: Any) -> Change:
    def change(world: World) -> dict[str, Any]:
        world.configure(replace(KEY, **changes))
        return {}

    return change


def _poor(world: World) -> dict[str, Any]:
    world.configure(Tenant("t-poor", "Poor", "starter", "active", from_domain="poor.example", sender_id="Poor"))
    world.configure(ApiKey("k-poor", "t-poor", "main", ("send",)))
    world.put(BILLING, "t-poor", Grant("t-poor", "g-poor", SMS_MICROS - 1, world.now_ms))
    return {"tenant_id": "t-poor", "key_id": "k-poor"}


def _nowhere(world: World) -> dict[str, Any]:
    return {"request": replace(request(TEXT), to=Recipient("phone", phone="+14155550123"))}


def _errors(_world: World) -> dict[str, Any]:
    return {"request": None, "errors": (FieldError("to", "missing", "is required"),)}


@pytest.mark.parametrize(
    ("layer", "code", "change"),
    [
        (0, "validation_failed", lambda _: {"idempotency_key": "k" * 300}),
        (1, "unauthorized", _key(revoked=True)),
        (1, "unauthorized", lambda _: {"key_id": "k-unknown"}),
        (1, "forbidden", _key(scopes=("read",))),
        (2, "tenant_suspended", _tenant(status="suspended")),
        (2, "tenant_provisioning", _tenant(status="provisioning")),
        (2, "tenant_deactivated", _tenant(status="deactivated")),
        (3, "rate_limit_exceeded", _tenant(rate_per_s=0)),
        (4, "insufficient_balance", _poor),
        (5, "validation_failed", _errors),
        (6, "compliance_blocked", _tenant(blocked_recipients=("+4520123456",))),
        (6, "compliance_blocked", _tenant(quiet_hours=QuietHours(14 * 60, 15 * 60, defer=False))),
        (7, "content_violation", _tenant(blocked_phrases=("parcel",))),
        (9, "no_route", _nowhere),
    ],
)
def test_a_layer_refuses_and_leaves_nothing_behind(layer: int, code: Code, change: Change) -> None:
    world = lane(Behaviour())
    world.advance(1)
    changed = change(world)
    world.advance(1)
    message_id = world.submit(TEXT, **changed)
    world.advance(MINUTE)
    reject = world.verdict(message_id).reject
    assert reject is not None
    assert (reject.layer, reject.code) == (layer, code)
    assert world.state(message_id) is None
    assert not [e for e in world.read(LEDGER) if e.message_id == message_id]
    assert not world.egress.taken
    check(world)


def test_a_refusal_of_the_rate_is_judged_anew_under_the_same_key() -> None:
    world = lane(Behaviour())
    world.configure(replace(TENANT, rate_per_s=1))
    first = world.submit(TEXT)
    refused = world.submit(TEXT, key="again")
    world.advance(1_100)
    repeated = world.submit(TEXT, key="again")
    world.advance(MINUTE)
    reject = world.verdict(refused).reject
    assert world.verdict(first).reject is None
    assert reject is not None
    assert (reject.code, reject.limit) == ("rate_limit_exceeded", 1)
    assert world.verdict(repeated).reject is None
    check(world)


def test_a_dry_run_reports_and_changes_nothing() -> None:
    world = lane(Behaviour())
    message_id = world.submit(TEXT, kind="validate")
    world.advance(MINUTE)
    assert world.verdict(message_id).report
    assert not world.egress.taken
    assert not world.read(STATUS)
    assert [v for v in world.read(VERDICTS) if v.message_id == message_id] == [world.verdict(message_id)]
    check(world)
