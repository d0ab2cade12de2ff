"""The egress and the carriers behind it: intent, hand-over, outcome, event, in the order of `egress/lanes.py`, over peers.

The carriers keep books of their own, as real ones do: what they took, and how often. When the egress dies, answers that are
under way are lost and it reads a few attempts again; what had an intent and no outcome is then unknown.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from domain.cascade.events import AttemptFailed, AttemptSent, ReceiptArrived
from domain.delivery import AttemptDue, Failed, Outcome, ReceiptStatus, Sent, Unknown
from egress.outcomes import event_of, row_of
from schemas.rows import Submit
from schemas.topics import CASCADE
from streams.sim.agenda import Agenda
from streams.sim.faults import Faults
from streams.sim.lane import CODEC, HOUR_MS, MINUTE_MS

EARLY_WAIT_MS: Final = 2_000
"""How long a receipt waits for the answer to its submit before it is nobody's."""
REPEATS_MS: Final = (0, 1, 1_000, MINUTE_MS, HOUR_MS // 2)
MOST_READ_AGAIN: Final = 3

Place = tuple[str, int]
Key = tuple[str, int]
"""Message and attempt."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a peer does with an attempt: refuse it, or take it and send a receipt later (or none)."""

    fail: str = ""
    permanent: bool = True
    untried: bool = False
    receipt: ReceiptStatus | None = "delivered"
    answer_after_ms: int = 5
    receipt_after_ms: int = 50
    level: Literal["sent", "delivered"] = "sent"
    receipt_first: bool = False


@dataclass(slots=True)
class Egress:
    """One process over all carriers. `behave` says what becomes of each attempt that is handed over."""

    behave: Callable[[AttemptDue], Behaviour]
    faults: Faults
    agenda: Agenda
    skew_ms: int = 0
    rows: dict[Key, Submit] = field(default_factory=dict)
    taken: Counter[Key] = field(default_factory=Counter)
    resent: Counter[Key] = field(default_factory=Counter)
    _read: dict[Place, int] = field(default_factory=dict)
    _open: dict[Place, set[int]] = field(default_factory=dict)
    _under_way: dict[Key, list[tuple[Place, int]]] = field(default_factory=dict)
    _life: int = 0

    def step(self) -> bool:
        """Take every attempt that is new; whether there was any."""
        busy = False
        for place, log in list(self.faults.broker.logs.items()):
            if not place[0].startswith(("hermes.smpp.", "hermes.mta.")):
                continue
            while (offset := self._read.get(place, 0)) < len(log):
                busy = True
                self._read[place] = offset + 1
                self._take(place, offset, CODEC.decode(log[offset].value or b""))
        return busy

    def now_ms(self) -> int:
        """The clock of the egress."""
        return self.faults.broker.now_ms + self.skew_ms

    def _take(self, place: Place, offset: int, due: AttemptDue) -> None:
        key = due.message_id, due.attempt
        self._open.setdefault(place, set()).add(offset)
        waiting = self._under_way.setdefault(key, [])
        waiting.append((place, offset))
        row = self.rows.get(key)
        if len(waiting) > 1:
            return
        if row is None:
            self.rows[key] = row_of(due, None, self.now_ms())
            if self.faults.happens("egress_crash", f"before it handed {key} over"):
                self._die()
                return
            self._hand_over(due)
        elif row.outcome:
            self._tell(due, row)
        elif due.expires_at_ms <= self.now_ms() or not self.faults.happens("sent_twice", f"{key}"):
            lost = Unknown("the process ended before the outcome was known")
            self._finish(due, row_of(due, lost, self.now_ms()))
        else:
            self.resent[key] += 1
            self._hand_over(due)

    def _hand_over(self, due: AttemptDue) -> None:
        key = due.message_id, due.attempt
        if due.expires_at_ms <= self.now_ms():
            self._finish(due, row_of(due, Failed(False, "expired", ""), self.now_ms()))
            return
        does = self.behave(due)
        at_ms = self.faults.broker.now_ms + does.answer_after_ms
        if does.fail:
            self._answer(at_ms, due, Failed(does.permanent, does.fail, "as told", untried=does.untried))
            return
        self.taken[key] += 1
        again = f"-{self.taken[key]}" if self.taken[key] > 1 else ""
        provider_id = f"id-{due.message_id}-{due.attempt}{again}"
        self._answer(at_ms, due, Sent((provider_id,), does.level))
        if does.receipt is not None:
            seen_ms = self.faults.broker.now_ms if does.receipt_first else at_ms + does.receipt_after_ms
            self._receipt(seen_ms, due, provider_id, does)
            if self.faults.happens("repeated_receipt", f"{key}"):
                self._receipt(seen_ms + self.faults.chance.choice(REPEATS_MS), due, provider_id, does)

    def _answer(self, at_ms: int, due: AttemptDue, outcome: Outcome) -> None:
        life = self._life

        def answer() -> None:
            if life == self._life:
                self._finish(due, row_of(due, outcome, self.now_ms()))

        self.agenda.at(at_ms, answer)

    def _finish(self, due: AttemptDue, row: Submit) -> None:
        """The outcome is kept, then told."""
        self.rows[due.message_id, due.attempt] = row
        if self.faults.happens("egress_crash", f"before it told the outcome of {(due.message_id, due.attempt)}"):
            self._die()
            return
        self._tell(due, row)

    def _tell(self, due: AttemptDue, row: Submit) -> None:
        for place, offset in self._under_way.pop((due.message_id, due.attempt), ()):
            self._open[place].discard(offset)
        event = event_of(row)
        self._put(event)
        if self.faults.happens("repeated_answer", f"{(due.message_id, due.attempt)}"):
            at_ms = self.faults.broker.now_ms + self.faults.chance.choice(REPEATS_MS)
            self.agenda.at(at_ms, lambda: self._put(event))

    def _receipt(self, at_ms: int, due: AttemptDue, provider_id: str, does: Behaviour, *, late: bool = False) -> None:
        """A receipt comes. One that the book has no attempt for waits a while, and is then nobody's."""
        status = does.receipt or "unknown"

        def arrive() -> None:
            row = self.rows[due.message_id, due.attempt]
            if does.receipt_first or provider_id in row.provider_ids:
                seen_ms, money = self.now_ms(), (row.segments, row.price_micros, row.cost_micros)
                self._put(ReceiptArrived(due.message_id, due.attempt, seen_ms, row.carrier, status, "000", *money))
            elif not late:
                self._receipt(at_ms + EARLY_WAIT_MS, due, provider_id, does, late=True)

        self.agenda.at(at_ms, arrive)

    def _die(self) -> None:
        """The process ends and another one begins: what was not told yet is read again, and some of the rest."""
        self._life += 1
        self._under_way.clear()
        for place, at in self._read.items():
            first = min(self._open.get(place, ()), default=at)
            self._read[place] = max(0, first - self.faults.chance.randint(0, MOST_READ_AGAIN))
        self._open.clear()

    def _put(self, event: AttemptSent | AttemptFailed | ReceiptArrived) -> None:
        self.faults.broker.append(CASCADE.name, event.message_id.encode(), CODEC.encode(event))
