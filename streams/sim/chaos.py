"""One run from its seed: a handful of messages, everything that may go wrong with them, and then time enough to end."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from domain.cascade.events import Accepted
from domain.cascade.rule import Backoff, Step
from domain.delivery import AttemptDue, ReceiptStatus
from domain.message import Recipient, SendRequest
from domain.tenant import Tenant
from schemas.topics import BILLING, CASCADE, SUBMISSIONS
from streams.sim.egress import Behaviour, Egress
from streams.sim.faults import Faults, swarm
from streams.sim.lane import (
    HOUR_MS,
    KEY,
    MINUTE_MS,
    SECOND,
    SMALL,
    SMALL_GRANTED_MICROS,
    SMALL_KEY,
    TELIA,
    TENANT,
    request,
)
from streams.sim.processes import OUTAGES_MS, Process, Product
from streams.sim.world import World

MOST_MESSAGES: Final = 6
LONGEST_MS: Final = 20 * MINUTE_MS
PAUSES_MS: Final = (0, 0, 1, 200, 3_000, 40_000)
CLOCK_STEPS_MS: Final = (1_000, 10_000, 2 * MINUTE_MS)
GOOD: Final[tuple[ReceiptStatus, ...]] = ("delivered", "delivered", "read")
BAD: Final[tuple[ReceiptStatus, ...]] = ("failed", "expired", "rejected")
SUSPENDED_MS: Final = (10, 5_000, MINUTE_MS)


@dataclass(slots=True)
class Chaos:
    """What clients, operators, carriers and fate do in one run."""

    faults: Faults
    product: Product
    world: World = field(init=False)
    ids: list[tuple[str, str]] = field(default_factory=list)
    """Of messages, with their tenants."""

    def __post_init__(self) -> None:
        self.world = World(self.behave, self.faults, self.product)
        for value in (SMALL, SMALL_KEY, SECOND):
            self.world.configure(value)
        self.world.grant(SMALL.tenant_id, SMALL_GRANTED_MICROS)

    def run(self) -> World:
        """Let it happen, and end."""
        chance = self.faults.chance
        self.world.advance(chance.choice((0, 1_000)))
        for _ in range(chance.randint(1, MOST_MESSAGES)):
            self.submit()
            self.disturb()
            self.world.advance(chance.choice(PAUSES_MS))
        self.world.advance(LONGEST_MS + self.faults.slack_ms)
        self.world.advance(self.product.parts.keep_final_ms + 2 * self.faults.slack_ms + MINUTE_MS)
        self.faults.rates = {}
        self.world.advance(max(OUTAGES_MS) + 1)
        return self.world

    def submit(self) -> None:
        """A client sends something, perhaps again, perhaps under a key that it has used."""
        chance, happens = self.faults.chance, self.faults.happens
        tenant, key = chance.choice(((TENANT, KEY), (TENANT, KEY), (SMALL, SMALL_KEY)))
        wanted = self.request()
        idempotency_key = chance.choice("abc") if happens("repeated_key") else ""
        fingerprint = b"other" if idempotency_key and happens("key_with_other_body") else b"f"
        message_id = self.world.submit(
            key=idempotency_key, fingerprint=fingerprint, request=wanted, tenant_id=tenant.tenant_id, key_id=key.key_id
        )
        self.ids.append((message_id, tenant.tenant_id))

    def request(self) -> SendRequest:
        """A cascade of up to three steps."""
        chance = self.faults.chance
        steps = tuple(
            Step(
                chance.choice(("sms", "email")), chance.choice((1_000, 30_000, MINUTE_MS)), chance.randint(0, 2),
                Backoff(chance.choice(("fixed", "exponential")), 1_000, 20_000),
            )
            for _ in range(chance.randint(1, 3))
        )  # fmt: skip
        wanted = replace(
            request(*steps), confirmation=chance.choice(("sent", "delivered", "delivered", "read")),
            max_duration_ms=chance.choice((20_000, 2 * MINUTE_MS, 10 * MINUTE_MS)),
        )  # fmt: skip
        if chance.random() < 0.1:
            wanted = replace(wanted, send_at_ms=self.world.now_ms + chance.choice((5_000, 5 * MINUTE_MS)))
        if chance.random() < 0.1:
            wanted = replace(wanted, to=Recipient("email", email="bo@customer.example"))
        return wanted

    def disturb(self) -> None:
        """What may go wrong around the pipeline."""
        chance, happens, world = self.faults.chance, self.faults.happens, self.world
        message_id, tenant_id = chance.choice(self.ids)
        if happens("cancel", message_id):
            self.later(lambda: self.cancel(message_id, tenant_id))
        if happens("cancel_by_other", message_id):
            self.later(lambda: self.cancel(message_id, "t-other"))
        if happens("rebalance"):
            self.later(world.pipeline.rebalance)
        if happens("tenant_suspended", tenant_id):
            self.suspend(TENANT if tenant_id == TENANT.tenant_id else SMALL)
        if happens("route_removed", TELIA.route_id):
            world.remove(TELIA)
            world.agenda.at(world.now_ms + chance.choice(SUSPENDED_MS), lambda: world.configure(TELIA))
        if happens("poison"):
            world.put_poison(chance.choice((SUBMISSIONS, CASCADE, BILLING)), tenant_id)
        if happens("clock_forward"):
            self.step_clock(1)
        if happens("clock_back"):
            self.step_clock(-1)

    def cancel(self, message_id: str, tenant_id: str) -> None:
        """Somebody asks for a cancellation, if the message has been accepted: its id is known to nobody before."""
        if any(isinstance(v, Accepted) and v.message_id == message_id for v in self.world.read(CASCADE)):
            self.world.cancel(message_id, tenant_id)

    def suspend(self, tenant: Tenant) -> None:
        """The tenant is suspended for a while."""
        self.world.configure(replace(tenant, status="suspended", status_reason="unpaid"))
        back_ms = self.world.now_ms + self.faults.chance.choice(SUSPENDED_MS)
        self.world.agenda.at(back_ms, lambda: self.world.configure(tenant))

    def step_clock(self, direction: int) -> None:
        """The clock of the gateways, of the egress or of a pipeline process steps."""
        chance, world = self.faults.chance, self.world
        by_ms = chance.choice(CLOCK_STEPS_MS)
        self.faults.slack_ms += by_ms
        clocks: list[World | Egress | Process] = [world, world.egress, *world.pipeline.running]
        whose = chance.choice(clocks)
        whose.skew_ms += direction * by_ms

    def later(self, action: Callable[[], None]) -> None:
        """Do it at some moment soon."""
        self.world.agenda.at(self.world.now_ms + self.faults.chance.choice((0, 0, 3, 60, 2_000, 30_000)), action)

    def behave(self, due: AttemptDue) -> Behaviour:
        """What a carrier does with an attempt."""
        chance, happens = self.faults.chance, self.faults.happens
        name = f"{due.message_id}/{due.attempt}"
        if happens("refused", name):
            return Behaviour(fail="5.1.1", answer_after_ms=chance.choice((5, 500)))
        if happens("busy", name):
            return Behaviour(fail="busy", permanent=False)
        answer_ms = chance.choice((20_000, 70_000)) if happens("slow_answer", name) else chance.choice((1, 5, 300))
        status = chance.choice(BAD) if happens("bad_receipt", name) else chance.choice(GOOD)
        return Behaviour(
            receipt=None if happens("no_receipt", name) else status,
            answer_after_ms=answer_ms,
            receipt_after_ms=chance.choice((40_000, HOUR_MS // 3))
            if happens("late_receipt", name)
            else chance.choice((0, 50)),
            level=chance.choice(("sent", "sent", "delivered")) if due.channel == "email" else "sent",
            receipt_first=happens("receipt_first", name),
        )


def run(seed: int, product: Product | None = None) -> World:
    """The world of this seed when all is over."""
    return Chaos(swarm(seed), product or Product()).run()
