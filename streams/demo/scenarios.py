"""Every scenario of the demo, in the order of the table; those of one phase run at the same time."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from streams.demo.acts import batch, cancelled, exhausted, repeated, throttled
from streams.demo.crash import crash
from streams.demo.expectations import Checks
from streams.demo.journeys import (
    BOUNCED,
    EXHAUSTED,
    LATE_AFTER_THE_END,
    LATE_WHILE_WAITING,
    MAIL_DELIVERED,
    NO_RECEIPT_COMES,
    THROTTLED_FIRST,
    Journey,
    travel,
)
from streams.demo.money import money
from streams.demo.protocols import smpp, smtp
from streams.demo.refusals import REFUSALS, Refusal, refuse
from streams.demo.world import World


@dataclass(frozen=True, slots=True)
class Scenario:
    """A row of the table. `run` notes what it expects in the checks."""

    name: str
    run: Callable[[World, Checks], Awaitable[object]]


def phases(document: Mapping[str, Any]) -> tuple[tuple[Scenario, ...], ...]:
    """What to run on the stack of this ready file.

    First what needs no waiting, so that everything is warm when time-outs run; the crash alone, for it stops everything; the
    money last.
    """
    at_once = (
        _journey(MAIL_DELIVERED),
        _journey(BOUNCED),
        Scenario("a batch of 100", batch),
        Scenario("the same idempotency key twice → one message", repeated),
        *(_refusal(one) for one in REFUSALS),
    )
    with_waits = (
        _journey(NO_RECEIPT_COMES),
        Scenario(THROTTLED_FIRST.name, throttled),
        _journey(LATE_WHILE_WAITING),
        _journey(LATE_AFTER_THE_END),
        Scenario("scheduled, then cancelled", cancelled),
        Scenario(EXHAUSTED.name, exhausted),
        *((Scenario("a message through SMPP, with its receipt", smpp),) if document.get("smpp") else ()),
        *((Scenario("a message through SMTP", smtp),) if document.get("smtp") else ()),
    )
    return (
        at_once,
        with_waits,
        (Scenario("pipeline killed (-9) in mid-flight, nothing lost", crash),),
        (Scenario("the money adds up", money),),
    )


def _journey(journey: Journey) -> Scenario:
    return Scenario(journey.name, partial(travel, journey=journey))


def _refusal(refusal: Refusal) -> Scenario:
    return Scenario(refusal.name, partial(refuse, refusal=refusal))
