"""Scenarios that do more than send and watch: throttle, dead letters, cancel, repeat, batch."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from streams.demo import api as rest
from streams.demo.api import Api, Json
from streams.demo.expectations import Checks
from streams.demo.journeys import EXHAUSTED, THROTTLED_FIRST, travel
from streams.demo.patience import wait_for
from streams.demo.world import DELIVERED, MAIN, World
from streams.settings.resolve import SANDBOX_SMS_PRICE_MICROS

BATCH: Final = 100
LOOKS_AT_ONCE: Final = 20
THROTTLE_ANSWERS: Final = ("hermes_smpp_submit_sm_total", {"carrier": "sandbox", "status": "ESME_RTHROTTLED"})


async def throttled(world: World, checks: Checks) -> None:
    """The carrier says ESME_RTHROTTLED first, and the message is delivered without a second attempt."""
    before = await world.evidence.metric("egress", *THROTTLE_ANSWERS)
    await travel(world, checks, THROTTLED_FIRST)
    after = await world.evidence.metric("egress", *THROTTLE_ANSWERS)
    checks.expect(
        "the carrier answered ESME_RTHROTTLED before it took it", after > before, f"{after - before:.0f} times"
    )


async def exhausted(world: World, checks: Checks) -> None:
    """The message is on the dead-letter topic of Kafka with every attempt."""
    message_id = await travel(world, checks, EXHAUSTED)
    letters = await wait_for(world.evidence.dead_letters, lambda found: message_id in found, world.patience_ms)
    dead = letters.get(message_id)
    attempts = [f"{one.channel} {one.state} {one.code}" for one in dead.cascade.attempts] if dead else []
    wanted = ["email failed 5.1.1", "sms failed 001"]
    checks.equal("the topic hermes.dlq.v1 has it with both attempts and their codes", attempts, wanted)


async def cancelled(world: World, checks: Checks) -> None:
    """A message that is scheduled for later is cancelled, is not sent and costs nothing."""
    text = world.text("scheduled")
    later = datetime.now(UTC) + timedelta(hours=1)
    sent = await rest.send(world.api, {**_sms(text), "send_at": later.isoformat()})
    checks.equal("the message is accepted with 202", sent.status, rest.SENT)
    message_id = str(sent.body.get("message_id", ""))
    timeline = await rest.wait_events(world.api, message_id, lambda found: len(found) > 1, world.patience_ms)
    checks.equal("it waits", [rest.words(one) for one in timeline], ["accepted", "scheduled"])
    message = await rest.view(world.api, message_id)
    checks.equal("its price is reserved", rest.micros(message, "reserved"), SANDBOX_SMS_PRICE_MICROS)
    for which in ("the cancellation", "its repetition"):
        answer = await world.api.call("POST", f"/v1/messages/{message_id}/cancel")
        checks.equal(f"{which} answers 200", answer.status, 200)
    message = await rest.view(world.api, message_id)
    checks.equal("its one final state is cancelled", rest.state_of(message), "cancelled")
    checks.equal("it was never attempted", message.get("attempts"), [])
    money = rest.micros(message), rest.micros(message, "reserved")
    checks.equal("it costs nothing and reserves nothing", money, (0, 0))
    timeline = await rest.events(world.api, message_id)
    checks.equal("its events say so", [rest.words(one) for one in timeline], ["accepted", "scheduled", "cancelled"])
    checks.timeline.extend(rest.lines(message_id, timeline))
    checks.equal("the carrier took it never", world.books.texts()[text], 0)


async def repeated(world: World, checks: Checks) -> None:
    """The same request twice with one idempotency key is one message, one SMS and one charge."""
    text = world.text("one idempotency key")
    message = {**_sms(text), "idempotency_key": f"{world.run}-twice"}
    first, second = [await rest.send(world.api, message) for _ in range(2)]
    checks.equal("both requests are answered 202", (first.status, second.status), (rest.SENT, rest.SENT))
    message_id = str(first.body.get("message_id", ""))
    checks.equal("both answers name the same message", second.body.get("message_id"), message_id)
    replayed = [one.headers.get("Idempotency-Replayed", "") for one in (first, second)]
    checks.equal("only the second says Idempotency-Replayed", replayed, ["", "true"])
    final = await rest.wait_final(world.api, message_id, world.patience_ms)
    checks.equal("it is delivered", rest.state_of(final), "delivered")
    checks.equal("it is charged once", rest.micros(final), SANDBOX_SMS_PRICE_MICROS)
    world.charged[MAIN] += rest.micros(final) or 0
    checks.equal("the carrier took it once", world.books.texts()[text], 1)
    checks.timeline.extend(rest.lines(message_id, await rest.events(world.api, message_id)))


async def batch(world: World, checks: Checks) -> None:
    """A hundred messages in one request, each with its own answer and its own delivery."""
    texts = [world.text(f"batch {number}") for number in range(BATCH)]
    answer = await world.api.call("POST", "/v1/messages/batch", {"messages": [_sms(text) for text in texts]})
    checks.equal("the request is answered 200", answer.status, 200)
    checks.equal(f"it accepts all {BATCH}", answer.body.get("accepted"), BATCH)
    results = answer.body.get("results", [])
    checks.equal("the answers are in their order", [one["index"] for one in results], list(range(BATCH)))
    ids = [one["message_id"] for one in results if one.get("message_id")]
    checks.equal(f"they name {BATCH} messages", len(set(ids)), BATCH)
    finals = await final_views(world.api, ids, world.patience_ms)
    states = Counter(rest.state_of(one) for one in finals)
    checks.equal("all are delivered", dict(states), {"delivered": BATCH})
    charged = sum(rest.micros(one) or 0 for one in finals)
    world.charged[MAIN] += charged
    checks.equal("they cost a hundred times an SMS", charged, BATCH * SANDBOX_SMS_PRICE_MICROS)
    book = world.books.texts()
    checks.equal("the carrier took each once", Counter(book[text] for text in texts), Counter({1: BATCH}))


async def final_views(api: Api, ids: Sequence[str], within_ms: int) -> list[Json]:
    """The messages once they are final, in their order, or as they are `within_ms` later."""
    gate = asyncio.Semaphore(LOOKS_AT_ONCE)
    deadline = asyncio.get_running_loop().time() + within_ms / 1000

    async def final(message_id: str) -> Json:
        async with gate:
            left_ms = round((deadline - asyncio.get_running_loop().time()) * 1000)
            return await rest.wait_final(api, message_id, max(left_ms, 0))

    async with asyncio.TaskGroup() as tasks:
        found = [tasks.create_task(final(message_id)) for message_id in ids]
    return [one.result() for one in found]


def _sms(text: str) -> Json:
    return {
        "to": {"type": "phone", "phone": DELIVERED},
        "body": {"text": text},
        "routing": {"type": "direct", "direct_channel": "sms"},
    }
