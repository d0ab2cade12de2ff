"""The pipeline is killed by SIGKILL while 300 messages are on their way, and nothing is lost or done twice."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from streams.demo import api as rest
from streams.demo.acts import final_views
from streams.demo.api import Json
from streams.demo.expectations import Checks
from streams.demo.patience import wait_for
from streams.demo.world import LATE, MAIN, NO_RECEIPT, World
from streams.settings.resolve import SANDBOX_MAIL_PRICE_MICROS, SANDBOX_SMS_PRICE_MICROS

VICTIM: Final = "pipeline"
BATCHES: Final = 15
ITEMS: Final = 20
MESSAGES: Final = BATCHES * ITEMS
AT_ONCE: Final = 3
KILL_AFTER: Final = 4
"""Batches that are answered before the kill: their messages are on their way, others are being judged or not yet sent."""
RETRY_S: Final = 0.2
ACCEPTED_WITHIN_S: Final = 60.0
SHORT, LONG = "2s", "60s"
KINDS: Final = 10
"""Of ten messages one is an e-mail, one an SMS whose receipt comes late, and one an SMS whose time-out leads to e-mail."""


@dataclass(frozen=True, slots=True)
class Item:
    """One of the messages, and under what the books have it."""

    body: Json
    text: str
    mailbox: str


@dataclass(slots=True)
class Run:
    """How far the sending is: ids in the order of the items, None until they are accepted."""

    ids: list[str | None] = field(default_factory=lambda: [None] * MESSAGES)
    answered: int = 0
    refused: int = 0
    killed: int = 0
    unanswered_at_kill: int = 0


async def crash(world: World, checks: Checks) -> None:
    """Send, kill, repeat what was not answered, and count everything."""
    items = [item_of(world, number) for number in range(MESSAGES)]
    run = Run()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(batch: int) -> None:
        async with gate:
            await _send(world, run, items, batch)

    async with asyncio.timeout(ACCEPTED_WITHIN_S), asyncio.TaskGroup() as tasks:
        for batch in range(BATCHES):
            tasks.create_task(one(batch))
    open_ = run.unanswered_at_kill
    checks.expect("the pipeline was killed in mid-flight", bool(run.killed) and open_ > 0, f"{open_} not yet answered")
    again = await _back(world, run.killed)
    checks.expect(
        "the supervisor started it again", again not in (0, run.killed), f"process {run.killed}, then {again}"
    )
    ids = [one for one in run.ids if one]
    told = f"{len(ids)} of {MESSAGES}, {run.refused} requests repeated"
    checks.expect("every message was accepted, by a repetition where need be", len(ids) == MESSAGES, told)
    checks.equal("no repetition made a second message", len(set(ids)), MESSAGES)
    finals = await final_views(world.api, ids, world.patience_ms)
    account(world, checks, items, finals)
    longest = max(finals, key=lambda one: len(one.get("attempts", ())), default=None)
    if longest:
        shown = str(longest["message_id"])
        checks.timeline.extend(rest.lines(shown, await rest.events(world.api, shown)))


async def _send(world: World, run: Run, items: Sequence[Item], batch: int) -> None:
    """Hand one batch in until every item is accepted; the batch whose turn it is kills the pipeline."""
    first = batch * ITEMS
    body = {"messages": [item.body for item in items[first : first + ITEMS]]}
    while True:
        answer = await world.api.call("POST", "/v1/messages/batch", body)
        if answer.status == 200 and answer.body.get("accepted") == ITEMS:
            break
        run.refused += 1
        await asyncio.sleep(RETRY_S)
    run.ids[first : first + ITEMS] = [one["message_id"] for one in answer.body["results"]]
    run.answered += 1
    if run.answered == KILL_AFTER:
        run.unanswered_at_kill = run.ids.count(None)
        run.killed = world.machine.kill(VICTIM)


async def _back(world: World, killed: int) -> int:
    """The id of the process that took the place of the killed one; the old one after some time."""

    async def now() -> int:
        return world.machine.pid(VICTIM)

    return await wait_for(now, lambda pid: pid not in (0, killed), world.patience_ms)


def account(world: World, checks: Checks, items: Sequence[Item], finals: Sequence[Json]) -> None:
    """Count states, prices and books; an attempt whose hand-over nobody knows may be there twice and is told apart."""
    states = Counter(rest.state_of(one) for one in finals)
    checks.equal("every message reached one final state: delivered", dict(states), {"delivered": len(items)})
    charged = sum(rest.micros(one) or 0 for one in finals)
    world.charged[MAIN] += charged
    checks.equal(
        "each is charged once, at the price of the step that delivered it", charged, sum(map(price_of, finals))
    )
    texts, mailboxes = world.books.texts(), world.books.mailboxes()
    wrong, unknown = 0, 0
    for item, final in zip(items, finals, strict=True):
        taken = Counter({"sms": texts[item.text], "email": mailboxes[item.mailbox]})
        if any(one.get("unknown") for one in final.get("attempts", ())):
            unknown += 1
        elif taken != handed_over(final) or max(taken.values()) > 1:
            wrong += 1
    seen = f"{wrong} of {len(items)} wrong, {unknown} with an attempt whose hand-over is unknown"
    checks.expect("the books of carrier and mail host have each attempt that went out, and once", not wrong, seen)


def handed_over(message: Json) -> Counter[str]:
    """How many attempts of each channel a peer took, as the API tells it."""
    taken = Counter({"sms": 0, "email": 0})
    for one in message.get("attempts", ()):
        taken[one["channel"]] += bool(one["provider_message_id"]) or one["status"]["state"] == "delivered"
    return taken


def price_of(message: Json) -> int:
    """What a message has to cost by the attempt that confirmed it."""
    by = message.get("confirmed_by") or 0
    channel = message["attempts"][by - 1]["channel"] if by else ""
    return {"sms": SANDBOX_SMS_PRICE_MICROS, "email": SANDBOX_MAIL_PRICE_MICROS}.get(channel, 0)


def item_of(world: World, number: int) -> Item:
    """Message `number` of the run."""
    text, mailbox = world.text(f"crash {number}"), world.mailbox("delivered", f"crash-{number}")
    phone, steps = _way(number)
    body = {
        "to": {"type": "multi", "phone": phone, "email": mailbox},
        "body": {"text": text, "subject": text},
        "routing": {"type": "channels", "channels": [{"channel": one, "timeout": wait} for one, wait in steps]},
        "idempotency_key": f"{world.run}-crash-{number}",
    }
    return Item(body, text, mailbox)


def _way(number: int) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Phone number, and the steps with their time-outs."""
    match number % KINDS:
        case 0:
            return LATE, (("sms", LONG),)
        case 1:
            return NO_RECEIPT, (("sms", SHORT), ("email", LONG))
        case 2:
            return f"+4520{number:06d}", (("email", LONG),)
        case _:
            return f"+4520{number:06d}", (("sms", LONG),)
