"""Values that the tests of the domain start from; each call may change what matters to its test."""

from dataclasses import replace
from typing import Any

from domain.accepted import Message
from domain.billing.money import Account
from domain.cascade.commands import Command
from domain.cascade.engine import begin, decide
from domain.cascade.events import AttemptFailed, AttemptSent, CancelAsked, Happening, ReceiptArrived, TimerFired
from domain.cascade.plan import Plan, PlannedStep
from domain.cascade.rule import Backoff, Step
from domain.cascade.states import Cascade
from domain.delivery import Channel, ReceiptStatus
from domain.message import Body, Recipient, SendRequest, Submission
from domain.tenant import ApiKey, Route, Tenant
from domain.validation.facts import Facts

NOW = 1_767_614_400_000
"""2026-01-05T12:00:00Z, a Monday."""

HOUR = 3_600_000
RETIRE = 60_000
PHONE = "+4520123456"
EMAIL = "ann@example.com"


def tenant(**changes: Any) -> Tenant:
    return replace(Tenant("t1", "Acme", "starter", "active", from_domain="acme.example", sender_id="Acme"), **changes)


def key(**changes: Any) -> ApiKey:
    return replace(ApiKey("k1", "t1", "backend", ("send",)), **changes)


def request(**changes: Any) -> SendRequest:
    return replace(
        SendRequest(
            Recipient("multi", email=EMAIL, phone=PHONE),
            Body("Your order has shipped.", subject="Order"),
            (Step("email"), Step("sms")),
            "delivered",
            24 * HOUR,
        ),
        **changes,
    )


def submission(of: SendRequest | None = None, **changes: Any) -> Submission:
    whole = Submission("msg-1", "t1", "k1", "send", "rest", 0, "", b"f" * 32, NOW, 1, "", of or request())
    return replace(whole, **changes)


def facts(**changes: Any) -> Facts:
    account = Account("t1", available_micros=1_000_000, granted_micros=1_000_000)
    return replace(Facts(NOW, tenant(), key(), account=account, plan=plan()), **changes)


def route(route_id: str = "r1", channel: Channel = "sms", price: int = 50_000, **changes: Any) -> Route:
    return replace(Route(route_id, channel, "", f"carrier-{route_id}", price, price // 2), **changes)


def planned(channel: Channel = "sms", price: int = 50_000, skip: str = "", **step: Any) -> PlannedStep:
    whole = Step(channel, timeout_ms=60_000, max_retries=3, backoff=Backoff("exponential", 1_000, 60_000))
    return PlannedStep(replace(whole, **step), PHONE if channel == "sms" else EMAIL, 1, price, skip)


def plan(*steps: PlannedStep, **changes: Any) -> Plan:
    chosen = steps or (planned("email", 1_000), planned("sms", 50_000))
    return replace(Plan(chosen, "delivered", 24 * HOUR, "delivered", 0, ""), **changes)


def message(of: Plan, **changes: Any) -> Message:
    whole = Message(
        "msg-1", "t1", "k1", False, "rest", Recipient("multi", EMAIL, PHONE), Body("hi"), "", "", "", of,
        of.dearest_micros, "EUR", False, "trace", NOW, "hash",
    )  # fmt: skip
    return replace(whole, **changes)


def sent(attempt: int = 1, at_ms: int = NOW + 100, **changes: Any) -> AttemptSent:
    return replace(AttemptSent("msg-1", attempt, at_ms, "c1", (f"p{attempt}",), "sent", 1, 40_000, 20_000), **changes)


def failed(attempt: int = 1, at_ms: int = NOW + 100, *, permanent: bool = False, **changes: Any) -> AttemptFailed:
    return replace(AttemptFailed("msg-1", attempt, at_ms, "c1", permanent, "451", "busy"), **changes)


def receipt(
    attempt: int = 1, status: ReceiptStatus = "delivered", at_ms: int = NOW + 2_000, code: str = "", price: int = 40_000
) -> ReceiptArrived:
    return ReceiptArrived("msg-1", attempt, at_ms, "c1", status, code, 1, price, 20_000)


def cancel(at_ms: int = NOW + 3_000) -> CancelAsked:
    return CancelAsked("msg-1", "t1", "ask-1", 4, at_ms)


def due(state: Cascade) -> TimerFired:
    """The firing of the wake that `state` asks for."""
    return TimerFired("msg-1", state.timer, state.wake_at_ms)


def started(of: Plan | None = None) -> Cascade:
    return begin(message(of or plan()), RETIRE)[0]


def after(state: Cascade, *events: Happening) -> Cascade:
    for event in events:
        state, _ = decide(state, event, RETIRE)
    return state


def told(state: Cascade, event: Happening) -> tuple[Cascade, tuple[Command, ...]]:
    return decide(state, event, RETIRE)
