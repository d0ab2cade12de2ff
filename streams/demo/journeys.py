"""Messages whose whole way is known beforehand, as data, and the one function that sends and checks each."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from streams.demo import api as rest
from streams.demo.api import Json
from streams.demo.expectations import Checks, follows
from streams.demo.world import DELIVERED, LATE, MAIN, NO_RECEIPT, THROTTLED, UNDELIVERABLE, World
from streams.settings.resolve import SANDBOX_MAIL_PRICE_MICROS as MAIL
from streams.settings.resolve import SANDBOX_SMS_PRICE_MICROS as SMS

BRIEF = "3s"
"""Longer than a hand-over takes on a busy machine, shorter than a late receipt of the simulated carrier (4 s)."""
EVENING_H = 6
"""A window that opens this many hours from now is closed for longer than the demo runs."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One step: a channel, how long it may take, and when its delivery window opens (0: it is always open)."""

    channel: str
    timeout: str = "60s"
    opens_in_h: int = 0


@dataclass(frozen=True, slots=True)
class Journey:
    """A message and all that has to become of it.

    `events` are the timeline as `sent 1`, with a `?` behind what a receipt may overtake, which then comes later or not yet;
    `attempts` as `1 sms delivered late`. `sms` and `mails` are how often the carrier and the mail host have it in their books.
    """

    name: str
    label: str
    legs: tuple[Leg, ...]
    events: tuple[str, ...]
    attempts: tuple[str, ...]
    state: str = "delivered"
    phone: str = ""
    mailbox: str = ""
    price_micros: int = 0
    sms: int = 0
    mails: int = 0


MAIL_DELIVERED = Journey(
    "e-mail delivered", "mail", (Leg("email"),),
    ("accepted", "attempting 1", "delivered 1", "delivered 1"), ("1 email delivered",),
    mailbox="delivered", price_micros=MAIL, mails=1,
)  # fmt: skip
BOUNCED = Journey(
    "e-mail bounced → SMS delivered", "bounce", (Leg("email"), Leg("sms")),
    ("accepted", "attempting 1", "failed 1", "attempting 2", "sent 2?", "receipt 2", "delivered 2", "sent 2?"),
    ("1 email failed", "2 sms delivered"),
    mailbox="bounced", phone=DELIVERED, price_micros=SMS, sms=1,
)  # fmt: skip
NO_RECEIPT_COMES = Journey(
    "SMS without receipt → time-out → e-mail", "time-out", (Leg("sms", BRIEF), Leg("email")),
    ("accepted", "attempting 1", "sent 1", "timed_out 1", "attempting 2", "delivered 2", "delivered 2"),
    ("1 sms timed_out", "2 email delivered"),
    phone=NO_RECEIPT, mailbox="delivered", price_micros=MAIL, sms=1, mails=1,
)  # fmt: skip
THROTTLED_FIRST = Journey(
    "SMS throttled, then delivered", "throttled", (Leg("sms"),),
    ("accepted", "attempting 1", "sent 1?", "receipt 1", "delivered 1", "sent 1?"), ("1 sms delivered",),
    phone=THROTTLED, price_micros=SMS, sms=1,
)  # fmt: skip
LATE_WHILE_WAITING = Journey(
    "late receipt of step 1 while step 2 waits", "late", (Leg("sms", BRIEF), Leg("email", opens_in_h=EVENING_H)),
    ("accepted", "attempting 1", "sent 1", "timed_out 1", "deferred", "receipt 1", "delivered 1"),
    ("1 sms delivered late",),
    phone=LATE, mailbox="delivered", price_micros=SMS, sms=1,
)  # fmt: skip
LATE_AFTER_THE_END = Journey(
    "late receipt of step 1 after step 2 delivered", "redundant", (Leg("sms", BRIEF), Leg("email")),
    ("accepted", "attempting 1", "sent 1", "timed_out 1", "attempting 2", "delivered 2", "delivered 2", "receipt 1"),
    ("1 sms delivered late redundant", "2 email delivered"),
    phone=LATE, mailbox="delivered", price_micros=MAIL, sms=1, mails=1,
)  # fmt: skip
EXHAUSTED = Journey(
    "everything fails → exhausted → DLQ", "exhausted", (Leg("email"), Leg("sms")),
    ("accepted", "attempting 1", "failed 1", "attempting 2", "sent 2?", "receipt 2", "exhausted", "sent 2?"),
    ("1 email failed", "2 sms failed"), "exhausted",
    phone=UNDELIVERABLE, mailbox="bounced", sms=1,
)  # fmt: skip


async def travel(world: World, checks: Checks, journey: Journey) -> str:
    """Send the message, wait for all its events, check everything; the answer is its id, empty when it was refused."""
    answer = await rest.send(world.api, await _message(world, journey))
    checks.equal("the message is accepted with 202", answer.status, rest.SENT)
    message_id = str(answer.body.get("message_id", ""))
    if not message_id:
        return ""

    def arrived(timeline: Sequence[Json]) -> bool:
        return follows(journey.events, [rest.words(one) for one in timeline])

    timeline = await rest.wait_events(world.api, message_id, arrived, world.patience_ms)
    got = [rest.words(one) for one in timeline]
    wanted = ", ".join(journey.events)
    once = all(count == 1 for word, count in Counter(got).items() if word.startswith("sent "))
    in_order = follows(journey.events, got) and once
    checks.expect(f"its events are, in this order: {wanted}", in_order, ", ".join(got))
    checks.timeline.extend(rest.lines(message_id, timeline))
    message = await rest.view(world.api, message_id)
    checks.equal(f"its one final state is {journey.state}", rest.state_of(message), journey.state)
    attempts = tuple(rest.attempt_words(one) for one in message.get("attempts", ()))
    checks.equal(f"its attempts are {', '.join(journey.attempts)}", attempts, journey.attempts)
    costs = "it costs the price of the step that delivered it" if journey.price_micros else "it costs nothing"
    checks.equal(costs, rest.micros(message), journey.price_micros)
    checks.equal("nothing of it stays reserved", rest.micros(message, "reserved"), 0)
    world.charged[MAIN] += rest.micros(message) or 0
    _books(world, checks, journey)
    return message_id


def _books(world: World, checks: Checks, journey: Journey) -> None:
    sms = world.books.texts()[world.text(journey.label)]
    mails = world.books.mailboxes()[world.mailbox(journey.mailbox, journey.label)]
    checks.equal(f"the carrier took it {_times(journey.sms)}", sms, journey.sms)
    checks.equal(f"the mail host took it {_times(journey.mails)}", mails, journey.mails)


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")


async def _message(world: World, journey: Journey) -> Json:
    to = {"type": "multi"}
    if journey.phone:
        to["phone"] = journey.phone
    if journey.mailbox:
        to["email"] = world.mailbox(journey.mailbox, journey.label)
    text = world.text(journey.label)
    return {"to": to, "body": {"text": text, "subject": text}, "routing": await _routing(world, journey)}


async def _routing(world: World, journey: Journey) -> Json:
    """An inline cascade; where a step has a window, a saved rule, for only that has windows."""
    if not any(leg.opens_in_h for leg in journey.legs):
        channels = [{"channel": leg.channel, "timeout": leg.timeout} for leg in journey.legs]
        return {"type": "channels", "channels": channels}
    now = datetime.fromtimestamp(time.time(), UTC)
    rule = {"name": f"demo {world.run} {journey.label}", "steps": [step_of(leg, now) for leg in journey.legs]}
    saved = await world.api.call("POST", "/v1/cascade-rules", rule)
    return {"type": "cascade_rule", "cascade_rule_id": saved.body.get("rule_id", "")}


def step_of(leg: Leg, now: datetime) -> Json:
    """A step of a rule; its window is one hour long."""
    step: Json = {"channel": leg.channel, "timeout": leg.timeout}
    if leg.opens_in_h:
        opens = now + timedelta(hours=leg.opens_in_h)
        closes = opens + timedelta(hours=1)
        step["delivery_window"] = {"start": f"{opens:%H:%M}", "end": f"{closes:%H:%M}", "timezone": "UTC"}
    return step
