"""The egress at work: attempts in, to their carriers, results out; nothing lost or done twice unseen, whatever dies.

For each batch of attempts: the intents are made durable, then each attempt is handed over. What became known in one turn of
the event loop is made durable together, first all rows, then all events, and only then may the offsets be committed. An
event never runs ahead of its row: else a failure could be told, its next attempt made, and after a crash the first one sent
again. An attempt that comes again
- with an outcome in its row: the event is told again, nothing is sent;
- with an intent only: it is *unknown* whether a peer has it. It is counted, and sent again or left to its receipt, as the
  carrier's policy says.
A carrier that is slow or away fills its own lane: its partitions are paused, the others go on.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import structlog

from domain.delivery import AttemptDue, Failed, Outcome, Unknown
from domain.ports import Carrier
from egress.book import Book, submit_key
from egress.group import Place, Record
from egress.offsets import Progress
from egress.outcomes import event_of, row_of
from egress.publisher import Publisher
from egress.reader import Turn
from schemas.codec import UnreadableError
from schemas.rows import DeadRecord, Submit
from schemas.topics import CASCADE, DEADLETTERS, SUBMITS

log = structlog.get_logger()

COMMIT_EVERY_S = 0.2
SWEEP_EVERY_S = 60.0
MAX_RESENDS = 3
GIVEN_BACK = ("draining", "4.3.2")
"""What SMPP clients and mail pools say of attempts that they did not hand over because they are being closed.

A mail host may say 4.3.2, too: it means that only while this process is stopping.
"""

OnUnknown = Literal["resend", "wait"]
Count = Callable[..., None]


class Attempts(Protocol):
    """Where attempts come from: `reader.AttemptReader`."""

    async def turn(self, held: frozenset[str]) -> Turn:
        """New records of topics that are not held."""
        ...

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """All before these offsets is done."""
        ...


@dataclass(slots=True)
class Lane:
    """One carrier or mail pool with its topic. `most` attempts may be at work at once; `on_unknown` is its policy."""

    name: str
    topic: str
    carrier: Carrier
    most: int = 1_000
    on_unknown: OnUnknown = "resend"
    at_work: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True)
class _Ended:
    """An attempt with its outcome; `fresh` when its row is not durable yet."""

    lane: Lane
    row: Submit
    fresh: bool


@dataclass(slots=True)
class Lanes:
    """All lanes of a process over one reader."""

    reader: Attempts
    publisher: Publisher
    book: Book
    lanes: Mapping[str, Lane]
    clock: Callable[[], int]
    count: Count
    _progress: dict[Place, Progress] = field(default_factory=dict)
    _committed: dict[Place, int] = field(default_factory=dict)
    _under_way: dict[str, list[tuple[Progress, int]]] = field(default_factory=dict)
    _ended: list[_Ended] = field(default_factory=list)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then let what is under way end; whatever fails is raised."""
        self._stop = stop
        async with asyncio.TaskGroup() as work:
            keeper = work.create_task(self._keep(stop))
            while not stop.is_set():
                turn = await self.reader.turn(self._held())
                for place in turn.lost:  # another owner has it: nothing of it may be committed here
                    self._progress.pop(place, None)
                    self._committed.pop(place, None)
                if turn.records:
                    await self._take(turn.records, work)
            keeper.cancel()
        await self._commit()

    def told(self, key: str) -> bool:
        """Whether the outcome of an attempt (`submit_key`) has been told, as far as it is at work here."""
        return key not in self._under_way

    async def _take(self, records: Sequence[Record], work: asyncio.TaskGroup) -> None:
        fresh: list[tuple[Lane, AttemptDue, Submit | None]] = []
        for record in records:
            progress = self._progress.setdefault((record.topic, record.partition), Progress())
            progress.begin(record.offset)
            due = await self._read(record)
            if due is None:
                progress.end(record.offset)
                continue
            key = submit_key(due.message_id, due.attempt)
            waiting = self._under_way.setdefault(key, [])
            waiting.append((progress, record.offset))
            if len(waiting) == 1:  # otherwise it came again while it is being done: done once is done for both
                fresh.append((self.lanes[record.topic], due, self.book.row_of(key)))
        now_ms = self.clock()
        intents = [row_of(due, None, now_ms) for _, due, known in fresh if known is None]
        if intents:
            await self.publisher.publish_octets(SUBMITS, self.book.encoded(intents))
        for lane, due, known in fresh:
            lane.at_work += 1
            if known is not None and known.outcome:
                self._end(_Ended(lane, known, fresh=False), work)
            else:
                work.create_task(self._do(lane, due, work, repeated=known is not None))

    async def _do(self, lane: Lane, due: AttemptDue, work: asyncio.TaskGroup, *, repeated: bool) -> None:
        outcome = await self._send(lane, due, repeated=repeated)
        if self._stop.is_set() and isinstance(outcome, Failed) and outcome.code in GIVEN_BACK:
            await self._give_back(due)
            lane.at_work -= 1
            return
        if isinstance(outcome, Failed):
            log.info(
                "attempt_failed", carrier=lane.name, message_id=due.message_id, attempt=due.attempt, code=outcome.code,
                permanent=outcome.permanent, trace_id=due.trace_id,
            )  # fmt: skip
        self._end(_Ended(lane, row_of(due, outcome, self.clock()), fresh=True), work)

    async def _give_back(self, due: AttemptDue) -> None:
        """It never reached the peer and this process is stopping: no intent remains, and the next process takes it anew."""
        self.book.drop(due.message_id, due.attempt)
        await self.publisher.publish(SUBMITS, submit_key(due.message_id, due.attempt), None)

    async def _send(self, lane: Lane, due: AttemptDue, *, repeated: bool) -> Outcome:
        """Hand over; an unknown outcome follows the lane's policy."""
        outcome: Outcome = (
            Unknown("the process ended before the outcome was known") if repeated else await lane.carrier.send(due)
        )
        sends = 0
        while isinstance(outcome, Unknown):
            self.count("hermes_egress_unknown_total", carrier=lane.name)
            log.warning(
                "attempt_unknown", carrier=lane.name, message_id=due.message_id, attempt=due.attempt,
                trace_id=due.trace_id, policy=lane.on_unknown,
            )  # fmt: skip
            if lane.on_unknown == "wait" or sends == MAX_RESENDS or due.expires_at_ms <= self.clock():
                return outcome
            sends += 1
            outcome = await lane.carrier.send(due)
        return outcome

    def _end(self, ended: _Ended, work: asyncio.TaskGroup) -> None:
        """With all others that end in this turn of the loop."""
        self._ended.append(ended)
        if len(self._ended) == 1:
            work.create_task(self._finish())

    async def _finish(self) -> None:
        """Keep the outcomes, then tell them."""
        ended, self._ended = self._ended, []
        fresh = [end.row for end in ended if end.fresh]
        if fresh:
            rows = self.book.encoded(fresh)
            self.book.save(fresh, rows)  # at once: a receipt may be on its way already
            await self.publisher.publish_octets(SUBMITS, rows)
        encode = self.publisher.codec.encode
        await self.publisher.publish_octets(CASCADE, [(e.row.message_id, encode(event_of(e.row))) for e in ended])
        for end in ended:
            end.lane.at_work -= 1
            for progress, offset in self._under_way.pop(submit_key(end.row.message_id, end.row.attempt)):
                progress.end(offset)

    async def _read(self, record: Record) -> AttemptDue | None:
        """The attempt in a record; what cannot be read is on the dead letters when this returns None."""
        try:
            value: Any = self.publisher.codec.decode(record.value)
            if isinstance(value, AttemptDue):
                return value
            reason = f"{type(value).__name__} is no attempt"
        except UnreadableError as error:
            reason = str(error)
        dead = DeadRecord(record.topic, record.partition, record.offset, record.key, record.value, reason, self.clock())
        await self.publisher.publish(DEADLETTERS, f"{record.topic}/{record.partition}", dead)
        self.count("hermes_deadletters_total", topic=record.topic)
        return None

    def _held(self) -> frozenset[str]:
        """The topics of full lanes, until half of their work is done."""
        for lane in self.lanes.values():
            lane.held = lane.at_work > lane.most // 2 if lane.held else lane.at_work >= lane.most
        return frozenset(topic for topic, lane in self.lanes.items() if lane.held)

    async def _keep(self, stop: asyncio.Event) -> None:
        """Commit often, sweep now and then."""
        swept_at = 0.0
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            await asyncio.sleep(COMMIT_EVERY_S)
            await self._commit()
            if loop.time() >= swept_at:
                swept_at = loop.time() + SWEEP_EVERY_S
                self.book.sweep(self.clock())

    async def _commit(self) -> None:
        ready = {
            place: progress.committable
            for place, progress in self._progress.items()
            if progress.committable != self._committed.get(place, 0)
        }
        if ready:
            await self.reader.commit(ready)
            self._committed.update({place: offset for place, offset in ready.items() if place in self._progress})
