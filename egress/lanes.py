"""The egress at work: attempts in, to their carriers, results out; nothing lost or done twice unseen, whatever dies.

For each batch of attempts: the intents are made durable, then each attempt is handed over, then its outcome is made durable
(first the row, then the event), and only then may its offset be committed. An attempt that comes again
- with an outcome in its row: the event is told again, nothing is sent;
- with an intent only: it is *unknown* whether a peer has it. It is counted, and sent again or left to its receipt, as the
  carrier's policy says.
A carrier that is slow or away fills its own lane: its partitions are paused, the others go on.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from domain.cascade.events import AttemptFailed, AttemptSent
from domain.delivery import AttemptDue, Failed, Outcome, Sent, Unknown
from domain.ports import Carrier
from egress.book import Book, submit_key
from egress.offsets import Progress
from egress.publisher import Publisher
from schemas.codec import UnreadableError
from schemas.rows import DeadRecord, Submit
from schemas.topics import CASCADE, DEADLETTERS, SUBMITS

log = structlog.get_logger()

MAX_BATCH = 500
POLL_MS = 100
COMMIT_EVERY_S = 0.2
SWEEP_EVERY_S = 60.0
MAX_RESENDS = 3
GIVEN_BACK = ("draining", "4.3.2")
"""What SMPP clients and mail pools say of attempts that they did not hand over because they are being closed.

A mail host may say 4.3.2, too: it means that only while this process is stopping.
"""

OnUnknown = Literal["resend", "wait"]
Count = Callable[..., None]


@dataclass(slots=True)
class Lane:
    """One carrier or mail pool with its topic. `most` attempts may be at work at once; `on_unknown` is its policy."""

    name: str
    topic: str
    carrier: Carrier
    most: int = 1_000
    on_unknown: OnUnknown = "resend"
    at_work: int = 0


@dataclass(slots=True)
class Lanes:
    """All lanes of a process over one consumer."""

    consumer: AIOKafkaConsumer
    publisher: Publisher
    book: Book
    lanes: Mapping[str, Lane]
    clock: Callable[[], int]
    count: Count
    _progress: dict[TopicPartition, Progress] = field(default_factory=dict)
    _committed: dict[TopicPartition, int] = field(default_factory=dict)
    _under_way: dict[str, list[tuple[Progress, int]]] = field(default_factory=dict)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _listeners: dict[str, asyncio.Event] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then let what is under way end; whatever fails is raised."""
        self._stop = stop
        async with asyncio.TaskGroup() as work:
            keeper = work.create_task(self._keep(stop))
            while not stop.is_set():
                fetched = await self.consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_BATCH)
                if fetched:
                    await self._take(fetched, work)
                self._set_pace()
            keeper.cancel()
        await self._commit()

    async def told(self, message_id: str, attempt: int) -> None:
        """When this returns the attempt's outcome has been told, if the attempt is at work here: its receipt comes after it."""
        key = submit_key(message_id, attempt)
        if key in self._under_way:
            await self._listeners.setdefault(key, asyncio.Event()).wait()

    def forget(self, places: Sequence[TopicPartition]) -> None:
        """These partitions have another owner now: nothing of theirs may be committed here."""
        for place in places:
            self._progress.pop(place, None)
            self._committed.pop(place, None)

    async def _take(self, fetched: Mapping[TopicPartition, list[ConsumerRecord]], work: asyncio.TaskGroup) -> None:
        fresh: list[tuple[Lane, AttemptDue, Submit | None]] = []
        for place, records in fetched.items():
            progress = self._progress.setdefault(place, Progress())
            for record in records:
                progress.begin(record.offset)
                due = await self._read(record)
                if due is None:
                    progress.end(record.offset)
                    continue
                key = submit_key(due.message_id, due.attempt)
                waiting = self._under_way.setdefault(key, [])
                waiting.append((progress, record.offset))
                if len(waiting) == 1:  # otherwise it came again while it is being done: done once is done for both
                    fresh.append((self.lanes[place.topic], due, self.book.row(due.message_id, due.attempt)))
        intents = [self._row(due, "") for _, due, known in fresh if known is None]
        if intents:
            rows = self.book.encoded(intents)
            await self.publisher.publish_octets(SUBMITS, rows)
            self.book.save(intents, rows)
        for lane, due, known in fresh:
            lane.at_work += 1
            work.create_task(self._do(lane, due, known))

    async def _do(self, lane: Lane, due: AttemptDue, known: Submit | None) -> None:
        key = submit_key(due.message_id, due.attempt)
        done = True
        try:
            if known is not None and known.outcome:
                await self._tell(due, known)
            else:
                outcome = await self._send(lane, due, repeated=known is not None)
                if self._stop.is_set() and isinstance(outcome, Failed) and outcome.code in GIVEN_BACK:
                    done = False
                    await self._give_back(due)
                else:
                    await self._finish(lane, due, outcome)
        finally:
            lane.at_work -= 1
            if listener := self._listeners.pop(key, None):
                listener.set()
        for progress, offset in self._under_way.pop(key) if done else ():
            progress.end(offset)

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

    async def _finish(self, lane: Lane, due: AttemptDue, outcome: Outcome) -> None:
        """Keep the outcome, then tell it."""
        match outcome:
            case Sent():
                row = replace(self._row(due, outcome.level), provider_ids=outcome.provider_ids)
            case Failed(permanent=permanent):
                row = self._row(due, "refused" if permanent else "failed")
                row = replace(row, code=outcome.code, detail=outcome.detail, retry_after_ms=outcome.retry_after_ms)
            case Unknown():
                row = replace(self._row(due, "unknown"), detail=outcome.detail)
        rows = self.book.encoded([row])
        self.book.save([row], rows)  # at once: a receipt may be on its way already
        await self.publisher.publish_octets(SUBMITS, rows)
        await self._tell(due, row)
        log.info(
            "attempt_done", carrier=lane.name, message_id=due.message_id, attempt=due.attempt, outcome=row.outcome,
            code=row.code, trace_id=due.trace_id,
        )  # fmt: skip

    async def _tell(self, due: AttemptDue, row: Submit) -> None:
        event: AttemptSent | AttemptFailed
        if row.outcome in ("failed", "refused"):
            event = AttemptFailed(
                due.message_id, due.attempt, row.at_ms, row.carrier, row.outcome == "refused", row.code, row.detail,
                row.retry_after_ms,
            )  # fmt: skip
        else:
            event = AttemptSent(
                due.message_id, due.attempt, row.at_ms, row.carrier, row.provider_ids,
                "delivered" if row.outcome == "delivered" else "sent",
                row.segments, row.price_micros, row.cost_micros, row.outcome == "unknown", row.detail,
            )  # fmt: skip
        await self.publisher.publish(CASCADE, due.message_id, event)

    async def _read(self, record: ConsumerRecord) -> AttemptDue | None:
        """The attempt in a record; what cannot be read is on the dead letters when this returns None."""
        try:
            value: Any = self.publisher.codec.decode(record.value or b"")
            if isinstance(value, AttemptDue):
                return value
            reason = f"{type(value).__name__} is no attempt"
        except UnreadableError as error:
            reason = str(error)
        dead = DeadRecord(
            record.topic, record.partition, record.offset, record.key or b"", record.value or b"", reason, self.clock()
        )
        await self.publisher.publish(DEADLETTERS, f"{record.topic}/{record.partition}", dead)
        self.count("hermes_deadletters_total", topic=record.topic)
        return None

    def _row(self, due: AttemptDue, outcome: str) -> Submit:
        return Submit(
            due.message_id, due.attempt, due.carrier, outcome, (), due.segments, due.price_micros, due.cost_micros,
            due.trace_id, self.clock(),
        )  # fmt: skip

    def _set_pace(self) -> None:
        """Pause the partitions of full lanes, resume those with room again."""
        paused = self.consumer.paused()
        for place in self.consumer.assignment():
            lane = self.lanes[place.topic]
            if lane.at_work >= lane.most and place not in paused:
                self.consumer.pause(place)
            elif lane.at_work <= lane.most // 2 and place in paused:
                self.consumer.resume(place)

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
        assigned = self.consumer.assignment()
        ready = {
            place: progress.committable
            for place, progress in self._progress.items()
            if place in assigned and progress.committable != self._committed.get(place, 0)
        }
        if ready:
            await self.consumer.commit(ready)
            self._committed.update(ready)
