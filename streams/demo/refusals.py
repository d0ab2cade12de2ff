"""One refusal by each layer from 0 to 7: what is sent, and the answer that it has to get."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from streams.demo import api as rest
from streams.demo.api import Answer, Json
from streams.demo.expectations import Checks
from streams.demo.patience import wait_for
from streams.demo.world import MAIN, SLOW, SMALL, SUSPENDED, World

AT_ONCE = 3
"""Messages that a tenant with one a second sends at the same moment."""

Provoke = Callable[[World], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a layer has to answer: status, code, and members that the problem has to have."""

    layer: int
    about: str
    provoke: Provoke
    status: int
    code: str
    members: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the table shows."""
        return f"refused by layer {self.layer}: {self.about}"


async def refuse(world: World, checks: Checks, refusal: Refusal) -> None:
    """Provoke the refusal and check its answer, and that the layer itself has counted it."""
    labels = {"layer": str(refusal.layer), "reason": refusal.code}
    before = await _counted(world, labels)
    answer = await refusal.provoke(world)
    checks.equal(f"the answer is {refusal.status}", answer.status, refusal.status)
    checks.equal(f"its code is {refusal.code}", answer.code, refusal.code)
    for member in refusal.members:
        checks.expect(f"it says {member}", bool(answer.body.get(member)), answer.body.get(member))
    checks.expect("it names no message", "message_id" not in answer.body, sorted(answer.body))
    after = await wait_for(lambda: _counted(world, labels), lambda count: count > before, world.patience_ms)
    checks.expect(f"layer {refusal.layer} counts a refusal more", after > before, f"{before:.0f}, then {after:.0f}")


async def _counted(world: World, labels: dict[str, str]) -> float:
    return await world.evidence.metric("pipeline", "hermes_validation_rejections_total", labels)


async def _reused(world: World) -> Answer:
    first = _sms(world, "layer 0", idempotency_key=f"{world.run}-layer-0")
    sent = await rest.send(world.api, first)
    await _charge(world, MAIN, sent)
    other = {**first, "body": {"text": world.text("layer 0, another body")}}
    return await rest.send(world.api, other)


async def _revoked(world: World) -> Answer:
    """A key that is known to every process, and was revoked."""
    made = await world.api.call("POST", "/v1/tenants/api-keys", {"label": f"demo {world.run}", "permissions": ["send"]})
    await world.api.call("DELETE", f"/v1/tenants/api-keys/{made.body.get('key_id', '')}")
    headers = {"Authorization": f"Bearer {made.body.get('secret', '')}"}
    return await world.api.call("POST", "/v1/messages/send", _sms(world, "layer 1"), headers)


async def _suspended(world: World) -> Answer:
    return await rest.send(world.apis[SUSPENDED], _sms(world, "layer 2"))


async def _too_fast(world: World) -> Answer:
    """The last that was refused of some sent at once, else the last."""
    api, text = world.apis[SLOW], world.text("layer 3")
    message = {
        "to": {"type": "email", "email": world.mailbox("delivered", "layer-3")},
        "body": {"text": text, "subject": text},
        "routing": {"type": "direct", "direct_channel": "email"},
    }
    answers = await asyncio.gather(*(rest.send(api, message) for _ in range(AT_ONCE)))
    for one in answers:
        if one.status == rest.SENT:
            await _charge(world, SLOW, one)
    return max(answers, key=lambda one: one.status)


async def _poor(world: World) -> Answer:
    return await rest.send(world.apis[SMALL], _sms(world, "layer 4"))


async def _malformed(world: World) -> Answer:
    return await rest.send(world.api, {**_sms(world, "layer 5", phone="12"), "colour": "green"})


async def _blocked(world: World) -> Answer:
    return await rest.send(world.api, _sms(world, "layer 6", phone="+4520999999"))


async def _prohibited(world: World) -> Answer:
    return await rest.send(world.api, _sms(world, "layer 7, a Guaranteed Lottery Win for you"))


REFUSALS: tuple[Refusal, ...] = (
    Refusal(0, "an idempotency key with another body", _reused, 422, "idempotency_key_reused"),
    Refusal(1, "a key that was revoked", _revoked, 401, "unauthorized"),
    Refusal(2, "a tenant that is suspended", _suspended, 403, "tenant_suspended"),
    Refusal(3, "more than one message a second", _too_fast, 429, "rate_limit_exceeded", ("limit", "retry_after")),
    Refusal(4, "less money than an SMS costs", _poor, 402, "insufficient_balance", ("balance", "required")),
    Refusal(5, "two fields that are wrong", _malformed, 422, "validation_failed", ("errors",)),
    Refusal(6, "a recipient who wants nothing", _blocked, 451, "compliance_blocked", ("compliance_code",)),
    Refusal(7, "a prohibited phrase", _prohibited, 422, "content_violation", ("violations",)),
)


def _sms(world: World, about: str, *, phone: str = "+4520123456", idempotency_key: str = "") -> Json:
    message: Json = {
        "to": {"type": "phone", "phone": phone},
        "body": {"text": world.text(about)},
        "routing": {"type": "direct", "direct_channel": "sms"},
    }
    return {**message, "idempotency_key": idempotency_key} if idempotency_key else message


async def _charge(world: World, tenant: str, sent: Answer) -> None:
    """Add what an accepted message costs, once it is final, to the tenant's bill."""
    final = await rest.wait_final(world.apis[tenant], str(sent.body.get("message_id", "")), world.patience_ms)
    world.charged[tenant] += rest.micros(final) or 0
