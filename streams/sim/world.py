"""A whole lane in virtual time: the pipeline on the memory driver, its clients, its egress and the carriers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from domain.billing.money import Account, Grant
from domain.cascade.commands import StatusTold
from domain.cascade.events import CancelAsked
from domain.cascade.rule import Step
from domain.cascade.states import Cascade
from domain.delivery import AttemptDue
from domain.message import Submission
from domain.verdict import Verdict
from schemas.topics import BILLING, CASCADE, CONFIG, SUBMISSIONS, VERDICTS, Topic
from streams.memory import Broker, MemoryDriver
from streams.sim.agenda import Agenda
from streams.sim.egress import Behaviour, Egress
from streams.sim.faults import Faults, none
from streams.sim.lane import CODEC, GRANTED_MICROS, KEY, SETTING, START_MS, TENANT, request
from streams.sim.processes import Pipeline, Product
from streams.sim.records import Records
from tables.catalogue import ACCOUNTS, CASCADE_ROWS
from tables.config import ConfigValue, config_key

COMMIT_WITHIN_MS: Final = 200
"""A process that has nothing to do commits what it has done."""
MOST_TURNS: Final = 20_000
"""At one moment; more is a world that does not come to rest."""


class RestlessError(Exception):
    """The world does not come to rest: something makes work for itself."""


@dataclass(slots=True)
class World:
    """One lane. `behave` decides what becomes of each attempt, `faults` what goes wrong."""

    behave: Callable[[AttemptDue], Behaviour] = lambda _: Behaviour()
    faults: Faults = field(default_factory=none)
    product: Product = field(default_factory=Product)
    skew_ms: int = 0
    """By how much the gateways' clock is off."""
    asked: list[Submission] = field(default_factory=list)
    granted: dict[str, int] = field(default_factory=dict)
    poison: int = 0
    agenda: Agenda = field(default_factory=Agenda)
    broker: Broker = field(init=False)
    records: Records = field(init=False)
    pipeline: Pipeline = field(init=False)
    egress: Egress = field(init=False)

    def __post_init__(self) -> None:
        self.broker = self.faults.broker
        self.broker.now_ms = START_MS
        self.records = Records(self.broker)
        self.egress = Egress(self.behave, self.faults, self.agenda)
        for value in SETTING:
            self.configure(value)
        self.grant(TENANT.tenant_id, GRANTED_MICROS)
        self.pipeline = Pipeline(self.product, self.faults, self._meanwhile)
        self.pipeline.restart()

    @property
    def now_ms(self) -> int:
        """The true time."""
        return self.broker.now_ms

    @property
    def driver(self) -> MemoryDriver:
        """Of the first process."""
        return self.pipeline.running[0].driver

    def configure(self, value: ConfigValue) -> None:
        """Publish one piece of configuration."""
        self.put(CONFIG, config_key(value), value)

    def remove(self, value: ConfigValue) -> None:
        """Take a piece of configuration away."""
        self.broker.append(CONFIG.name, config_key(value).encode(), None)

    def grant(self, tenant_id: str, micros: int) -> None:
        """Add credit."""
        self.granted[tenant_id] = self.granted.get(tenant_id, 0) + micros
        self.put(BILLING, tenant_id, Grant(tenant_id, f"g-{tenant_id}-{self.granted[tenant_id]}", micros, self.now_ms))

    def put(self, topic: Topic, key: str, value: Any, partition: int | None = None) -> None:
        """Append to a topic from outside the pipeline."""
        self.broker.append(topic.name, key.encode(), CODEC.encode(value), partition)

    def put_poison(self, topic: Topic, key: str) -> None:
        """Append a record that nobody can read."""
        self.poison += 1
        self.broker.append(topic.name, key.encode(), b"\x00\x00\x00\xff\xff" + str(self.poison).encode())

    def read(self, topic: Topic) -> list[Any]:
        """All values of a topic."""
        return self.records.read(topic)

    def submit(self, *steps: Step, key: str = "", **changes: Any) -> str:
        """Hand a submission in; returns its id."""
        number = len(self.asked) + 1
        values: dict[str, Any] = {
            "message_id": f"msg-{number:06d}", "tenant_id": TENANT.tenant_id, "key_id": KEY.key_id, "kind": "send",
            "protocol": "rest", "slot": 0, "idempotency_key": key, "fingerprint": b"f",
            "received_at_ms": self.now_ms + self.skew_ms, "config_version": 0, "trace_id": f"trace-{number}",
            "request": request(*steps),
        }  # fmt: skip
        values.update(changes)
        submission = Submission(**values)
        self.asked.append(submission)
        self.put(SUBMISSIONS, submission.tenant_id, submission)
        return submission.message_id

    def cancel(self, message_id: str, tenant_id: str = TENANT.tenant_id) -> None:
        """Ask for a cancellation."""
        at_ms = self.now_ms + self.skew_ms
        self.put(CASCADE, message_id, CancelAsked(message_id, tenant_id, f"ask-{message_id}", 0, at_ms))

    def rewind(self, topic: Topic) -> None:
        """Start the pipeline again with this topic's offsets uncommitted, as after a reset of its group."""
        self.broker.committed = {place: at for place, at in self.broker.committed.items() if place[0] != topic.name}
        self.pipeline.restart()

    def advance(self, ms: int) -> None:
        """Let time pass, and everything happen that is due in it."""
        until = self.now_ms + ms
        while True:
            self._work()
            moments = self.pipeline.moments()
            if (at := self.agenda.next_ms()) is not None:
                moments.append(at)
            next_ms = max(min(moments, default=until), self.now_ms + 1)
            if next_ms > until:
                break
            if next_ms - self.now_ms > COMMIT_WITHIN_MS and self.pipeline.rest():
                continue
            self.broker.now_ms = max(self.now_ms, next_ms)
        self.broker.now_ms = max(self.now_ms, until)
        self._work()

    def state(self, message_id: str) -> Cascade | None:
        """The live row of a message."""
        found: Cascade | None = self._row(CASCADE_ROWS, message_id)
        return found

    def account(self, tenant_id: str = TENANT.tenant_id) -> Account:
        """A tenant's account."""
        return self._row(ACCOUNTS, tenant_id) or Account(tenant_id)

    def verdict(self, message_id: str) -> Verdict:
        """The last answer to a submission."""
        return [v for v in self.read(VERDICTS) if isinstance(v, Verdict) and v.submission_id == message_id][-1]

    def told(self, ask_id: str) -> StatusTold:
        """The last answer to a question."""
        return [v for v in self.read(VERDICTS) if isinstance(v, StatusTold) and v.ask_id == ask_id][-1]

    def _row(self, table: Any, key: str) -> Any:
        _, number = self.broker.place("", key.encode(), None)
        for process in self.pipeline.running:
            if number in process.owned:
                return process.driver.engine.partitions[number].get(table, key)
        return None

    def _meanwhile(self) -> None:
        self.agenda.run(self.now_ms)
        self.egress.step()

    def _work(self) -> None:
        for _ in range(MOST_TURNS):
            acted = self.agenda.run(self.now_ms)
            busy = self.pipeline.step()
            if not (self.egress.step() or busy or acted):
                return
        raise RestlessError(f"still busy after {MOST_TURNS} turns")
