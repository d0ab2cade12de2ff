"""The whole pipeline over topics in memory, with a carrier that takes everything: what a message costs the engine alone."""

from dataclasses import dataclass, field
from typing import Any, Final

from schemas.catalogue import codec
from schemas.codec import Codec
from schemas.topics import BILLING, CASCADE, CONFIG, STATUS, SUBMISSIONS, Topic, attempts_topic
from streams.bench.world import CARRIER, configuration, grant, receipt, sent, submission
from streams.memory import Broker, MemoryDriver
from streams.parts import Parts
from streams.topology import TOPOLOGY
from tables.config import config_key
from tables.store import Store

KEEP_MS: Final = 30 * 86_400_000
"""Final states and answers stay longer than any measurement takes."""
ATTEMPTS: Final = attempts_topic("sms", CARRIER)


class SilentMeter:
    """Counts nothing."""

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """See streams.engine.Meter."""

    def observe(self, metric: str, value: float, **labels: str) -> None:
        """See streams.engine.Meter."""

    def set(self, metric: str, value: float, **labels: str) -> None:
        """See streams.engine.Meter."""


@dataclass(slots=True)
class Lane:
    """One partition on a store, at a time that stands still unless it is told; every attempt is sent and delivered."""

    store: Store
    tenants: int
    now_ms: int
    records: Codec = field(default_factory=codec)
    broker: Broker = field(init=False)
    driver: MemoryDriver = field(init=False)
    _attempts_read: int = 0

    def __post_init__(self) -> None:
        self.broker = Broker(1)
        for value in configuration(self.tenants):
            self.put(CONFIG, config_key(value), value)
        parts = Parts(bytes(32), KEEP_MS, KEEP_MS)
        self.driver = MemoryDriver(TOPOLOGY, parts, self.records, self.broker, SilentMeter(), stores={0: self.store})

    def open_accounts(self) -> None:
        """Each tenant gets its money."""
        for number in range(self.tenants):
            opening = grant(number, self.now_ms)
            self.put(BILLING, opening.tenant_id, opening)
        self.settle()

    def send(self, first: int, count: int) -> None:
        """Hand so many messages in, tenants in turn, and let all of them come to their end."""
        for number in range(first, first + count):
            one = submission(number, number % self.tenants, self.now_ms)
            self.put(SUBMISSIONS, one.tenant_id, one)
        self.settle()

    def settle(self) -> None:
        """Do all that is to be done, the carrier's part too."""
        self.driver.settle(self.now_ms)
        while self._carry():
            self.driver.settle(self.now_ms)

    @property
    def status_records(self) -> int:
        """How often a state was told."""
        return len(self.broker.logs.get((STATUS.name, 0), ()))

    def put(self, topic: Topic, key: str, value: Any) -> None:
        """Append to a topic from outside the pipeline."""
        self.broker.append(topic.name, key.encode(), self.records.encode(value), 0)

    def _carry(self) -> bool:
        """Be the egress and the carrier for what is new on the topic of attempts."""
        log = self.broker.logs.get((ATTEMPTS.name, 0), [])
        new, self._attempts_read = log[self._attempts_read :], len(log)
        for record in new:
            due = self.records.decode(record.value or b"")
            self.put(CASCADE, due.message_id, sent(due, self.now_ms))
            self.put(CASCADE, due.message_id, receipt(due, self.now_ms))
        return bool(new)
