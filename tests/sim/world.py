"""A whole lane in virtual time: the pipeline on the memory driver, a carrier and an MX that answer as told, and checkers.

The carrier keeps its own book, as a real one would: what it took, how often. Everything that is chance comes from a seed.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from domain.billing.money import Account, Grant, LedgerEntry, is_sound
from domain.cascade.commands import StatusChanged, StatusTold
from domain.cascade.events import AttemptFailed, AttemptSent, CancelAsked, ReceiptArrived
from domain.cascade.rule import Step
from domain.cascade.states import Cascade
from domain.delivery import AttemptDue, ReceiptStatus
from domain.message import Body, Recipient, SendRequest, Submission
from domain.tenant import ApiKey, Route, Tenant
from domain.verdict import Verdict
from schemas.catalogue import codec
from schemas.topics import AUDIT, BILLING, CASCADE, CONFIG, DLQ, LEDGER, STATUS, SUBMISSIONS, VERDICTS, Topic
from streams.memory import Broker, CrashError, MemoryDriver
from streams.parts import Parts
from streams.topology import TOPOLOGY
from tables.catalogue import ACCOUNTS, CASCADE_ROWS
from tables.config import ConfigValue, config_key
from tables.store import MemoryStore, Store

START_MS = 1_790_000_000_000
TENANT = Tenant("t-acme", "Acme", "business", "active", rate_per_s=10_000, from_domain="acme.example", sender_id="Acme")
KEY = ApiKey("k-1", TENANT.tenant_id, "main", ("send", "read"))
ROUTES = (
    Route("r-dk", "sms", "+45", "telia", 30_000, 12_000),
    Route("r-mail", "email", "", "default", 1_000, 100),
)
CODEC = codec()


@dataclass(slots=True)
class SilentMeter:
    """Counts by metric name."""

    counts: Counter[str] = field(default_factory=Counter)

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        self.counts[metric] += int(amount)

    def observe(self, metric: str, value: float, **labels: str) -> None:
        self.counts[metric] += 1

    def set(self, metric: str, value: float, **labels: str) -> None:
        self.counts[metric] = int(value)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a peer does with an attempt: refuse it, or take it and send a receipt later (or none)."""

    fail: str = ""
    permanent: bool = True
    receipt: ReceiptStatus | None = "delivered"
    answer_after_ms: int = 5
    receipt_after_ms: int = 50
    level: Literal["sent", "delivered"] = "sent"
    receipt_first: bool = False


@dataclass(slots=True)
class World:
    """One lane. `behave` decides what becomes of each attempt; `fault` may kill the pipeline at any record that lands."""

    seed: int = 0
    behave: Callable[[AttemptDue], Behaviour] = lambda _: Behaviour()
    crash_every: int = 0
    partitions: int = 2
    now_ms: int = START_MS
    broker: Broker = field(init=False)
    driver: MemoryDriver = field(init=False)
    meter: SilentMeter = field(default_factory=SilentMeter)
    book: Counter[tuple[str, int]] = field(default_factory=Counter)
    crashes: int = 0
    _later: list[tuple[int, int, Topic, str, Any]] = field(default_factory=list)
    _seen: dict[tuple[str, int], int] = field(default_factory=dict)
    _done: set[tuple[str, int]] = field(default_factory=set)
    _disks: dict[int, Store] = field(default_factory=dict)
    _ids: int = 0
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - a seed must give the same run again
        self.broker = Broker(self.partitions)
        for value in (TENANT, KEY, *ROUTES):
            self.configure(value)
        self.put(BILLING, TENANT.tenant_id, Grant(TENANT.tenant_id, "g-1", 1_000_000_000, self.now_ms))
        self._start()

    def configure(self, value: ConfigValue) -> None:
        """Publish one piece of configuration."""
        self.put(CONFIG, config_key(value), value)

    def put(self, topic: Topic, key: str, value: Any, partition: int | None = None) -> None:
        """Append to a topic from outside the pipeline."""
        self.broker.append(topic.name, key.encode(), CODEC.encode(value), partition)

    def read(self, topic: Topic) -> list[Any]:
        """All values of a topic."""
        return [CODEC.decode(v) for v in self.broker.records(topic.name)]

    def submit(self, *steps: Step, key: str = "", **changes: Any) -> str:
        """Hand a submission in; returns its id."""
        self._ids += 1
        message_id = f"msg-{self._ids:06d}"
        request = SendRequest(
            Recipient("multi", email="ann@customer.example", phone="+4520123456"), Body("Your parcel is here", subject="Parcel"),
            steps or (Step("sms", 60_000),), "delivered", 24 * 3_600_000, reference=message_id,
        )  # fmt: skip
        values: dict[str, Any] = {
            "message_id": message_id, "tenant_id": TENANT.tenant_id, "key_id": KEY.key_id, "kind": "send", "protocol": "rest",
            "slot": 0, "idempotency_key": key, "fingerprint": b"f", "received_at_ms": self.now_ms, "config_version": 0,
            "trace_id": f"trace-{self._ids}", "request": request,
        }  # fmt: skip
        values.update(changes)
        self.put(SUBMISSIONS, values["tenant_id"], Submission(**values))
        return message_id

    def cancel(self, message_id: str) -> None:
        """Ask for a cancellation."""
        self.put(CASCADE, message_id, CancelAsked(message_id, TENANT.tenant_id, f"ask-{message_id}", 0, self.now_ms))

    def rewind(self, topic: Topic) -> None:
        """Start the pipeline again with this topic's offsets uncommitted, as after a reset of its group."""
        self.broker.committed = {place: at for place, at in self.broker.committed.items() if place[0] != topic.name}
        self._start()

    def advance(self, ms: int) -> None:
        """Let time pass, and everything happen that is due in it."""
        until = self.now_ms + ms
        while True:
            self._work()
            moments = [t[0] for t in self._later[:1]]
            due = self.driver.engine.next_due_ms()
            moments += [due] if due is not None else []
            next_ms = max(min(moments, default=until), self.now_ms + 1)
            if next_ms > until:
                break
            self.now_ms = next_ms
        self.now_ms = until
        self._work()

    def state(self, message_id: str) -> Cascade | None:
        """The live row of a message."""
        for partition in self.driver.engine.partitions.values():
            row = partition.get(CASCADE_ROWS, message_id)
            if row is not None:
                return row
        return None

    def account(self) -> Account:
        """The tenant's account."""
        rows = [p.get(ACCOUNTS, TENANT.tenant_id) for p in self.driver.engine.partitions.values()]
        return next(r for r in rows if r is not None)

    def verdict(self, message_id: str) -> Verdict:
        """The last answer to a submission."""
        return [v for v in self.read(VERDICTS) if isinstance(v, Verdict) and v.submission_id == message_id][-1]

    def told(self, ask_id: str) -> StatusTold:
        """The last answer to a question."""
        return [v for v in self.read(VERDICTS) if isinstance(v, StatusTold) and v.ask_id == ask_id][-1]

    def check(self) -> None:
        """The promises: one final state a message, money that adds up, no attempt sent twice, an unbroken chain."""
        accepted = {
            v.submission_id
            for v in self.read(VERDICTS)
            if isinstance(v, Verdict) and v.reject is None and not v.replayed and not v.report
        }
        finals: dict[str, set[str]] = {}
        for changed in self.read(STATUS):
            assert isinstance(changed, StatusChanged)
            if changed.final:
                finals.setdefault(changed.message_id, set()).add(CODEC.decode(changed.cascade).state)
        assert {m: len(s) for m, s in finals.items()} == dict.fromkeys(accepted, 1)
        self._check_told()
        account = self.account()
        assert is_sound(account)
        assert account.reserved_micros == 0
        ours = (e for e in self.read(LEDGER) if isinstance(e, LedgerEntry) and e.tenant_id == TENANT.tenant_id)
        entries = {e.entry_id: e for e in ours}
        assert sum(e.available_micros for e in entries.values()) == account.available_micros
        assert sum(e.spent_micros for e in entries.values()) == account.spent_micros
        for reserves, last in ((True, account.reserve_seq), (False, account.seq)):
            numbers = sorted(e.seq for e in entries.values() if (e.kind == "reserve") is reserves)
            assert numbers == list(range(1, last + 1))
        assert all(times == 1 for times in self.book.values()), self.book
        check_chain(self.read(AUDIT))
        assert {e.message_id for e in self.read(DLQ)} == {m for m, s in finals.items() if s & {"exhausted", "expired"}}

    def _check_told(self) -> None:
        """A revision is one state however often it is told, and what was told last is what is kept."""
        told: dict[tuple[str, int], bytes] = {}
        for changed in self.read(STATUS):
            assert told.setdefault((changed.message_id, changed.revision), changed.cascade) == changed.cascade
        newest = {message_id: octets for (message_id, _), octets in sorted(told.items())}
        for message_id, octets in newest.items():
            assert self.state(message_id) in (None, CODEC.decode(octets))

    def _start(self) -> None:
        """A new process: on the disk of the one before, or, as often, on an empty one."""
        if not self._disks or self._chance.random() < 0.5:
            self._disks = {number: MemoryStore() for number in range(self.partitions)}
        self.driver = MemoryDriver(
            TOPOLOGY,
            Parts(b"salt"),
            CODEC,
            self.broker,
            self.meter,
            self._chance.randrange(2**32),
            self._fault,
            self._disks,
        )

    def _fault(self) -> None:
        if self.crash_every and self._chance.randrange(self.crash_every) == 0:
            raise CrashError

    def _work(self) -> None:
        for _ in range(100_000):
            while self._later and self._later[0][0] <= self.now_ms:
                _, _, topic, key, value = heapq.heappop(self._later)
                self.put(topic, key, value)
            try:
                busy = self.driver.step(self.now_ms) or self.driver.behind()
            except CrashError:
                self.crashes += 1
                self._start()
                continue
            self._carry()
            if not busy and not (self._later and self._later[0][0] <= self.now_ms):
                return
        raise RuntimeError("the world does not come to rest")

    def _carry(self) -> None:
        """The egress and its peers: take each new attempt once, answer and send receipts in time."""
        for (topic, place), log in list(self.broker.logs.items()):
            if not topic.startswith(("hermes.smpp.", "hermes.mta.")):
                continue
            for _, octets, _ in log[self._seen.get((topic, place), 0) :]:
                due = CODEC.decode(octets or b"")
                if (due.message_id, due.attempt) not in self._done:
                    self._done.add((due.message_id, due.attempt))
                    self._hand_over(due)
            self._seen[topic, place] = len(log)

    def _hand_over(self, due: AttemptDue) -> None:
        does = self.behave(due)
        at = self.now_ms + does.answer_after_ms
        if does.fail:
            code, permanent = does.fail, does.permanent
            self._then(at, due, AttemptFailed(due.message_id, due.attempt, at, due.carrier, permanent, code, "as told"))
            return
        self.book[due.message_id, due.attempt] += 1
        money = (due.segments, due.price_micros, due.cost_micros)
        sent = AttemptSent(
            due.message_id, due.attempt, at, due.carrier, (f"id-{due.message_id}-{due.attempt}",), does.level, *money
        )
        self._then(at, due, sent)
        if does.receipt is not None:
            seen = self.now_ms if does.receipt_first else at + does.receipt_after_ms
            self._then(
                seen, due, ReceiptArrived(due.message_id, due.attempt, seen, due.carrier, does.receipt, "000", *money)
            )

    def _then(self, at: int, due: AttemptDue, value: Any) -> None:
        self._ids += 1
        heapq.heappush(self._later, (at, self._ids, CASCADE, due.message_id, value))


def check_chain(entries: list[Any]) -> None:
    """Each tenant's audit entries, repetitions left out, follow each other."""
    from domain.audit.chain import GENESIS, is_next  # noqa: PLC0415 - only this checker needs it

    previous, seq = GENESIS, 1
    for entry in sorted({e.seq: e for e in entries}.values(), key=lambda e: e.seq):
        assert is_next(entry, previous, seq)
        previous, seq = entry.hash, seq + 1
