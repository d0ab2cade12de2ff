"""The desk of a gateway: hands submissions to the pipeline and waits for its answers on the gateway's own partition.

Both ends are on librdkafka. One thread reads the verdicts in batches and wakes the event loop once a batch; the same
thread keeps the gateway's view of the configuration up to date.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from domain.billing.money import Account, AccountAsked, AccountTold, Grant
from domain.cascade.commands import StatusTold
from domain.cascade.events import CancelAsked, StatusAsked
from domain.errors import Code, TransientError
from domain.message import Submission
from domain.verdict import Verdict
from ingress.gate import Gate, Ticket
from ingress.times import monotonic_ms
from schemas.codec import Codec
from schemas.topics import BILLING, CASCADE, SUBMISSIONS, VERDICTS, Topic

T = TypeVar("T")
Answer = Verdict | StatusTold | AccountTold
Report = Callable[[KafkaError | None, Message], None]
log = structlog.get_logger()

MAX_PENDING = 20_000
ANSWER_TIMEOUT_S = 5.0
RETRY_AFTER_MS = 1_000
MAX_ANSWERS_A_BATCH = 1_000
POLL_S = 0.02
BEAT_MS = 20
"""What is no verdict is looked at so often: each call into librdkafka may have to wait for the event loop to yield."""


@dataclass(slots=True)
class Wait:
    """What one caller waits for: `done` has its result when all `answers` are there, or the error that ended it."""

    done: asyncio.Future[None]
    answers: dict[str, Any]
    missing: int
    ticket: Ticket | None = None


@dataclass(slots=True)
class PipelineDesk:
    """The one desk of a gateway process.

    `connect` makes the producer, which tells `Report` of each record that could not be stored. `background` is called by
    the reading thread every BEAT_MS (configuration).
    """

    bootstrap: str
    codec: Codec
    slot: int
    connect: Callable[[Report], Producer]
    clock: Callable[[], int]
    new_id: Callable[[], str]
    background: Callable[[], None] = lambda: None
    gate: Gate = field(default_factory=Gate)
    failure: str = ""
    producer: Producer = field(init=False)
    _pending: dict[str, Wait] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.producer = self.connect(self._report)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to read answers; what was answered before is nobody's any more."""
        reader = Consumer({
            "bootstrap.servers": self.bootstrap,
            "group.id": f"hermes.gateway.{self.slot}",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 100,
            "log_level": 3,
        })  # fmt: skip
        place = TopicPartition(VERDICTS.name, self.slot)
        _, end = reader.get_watermark_offsets(place, timeout=10)
        reader.assign([TopicPartition(VERDICTS.name, self.slot, end)])
        self._thread = threading.Thread(target=self._read, args=(reader, loop), name="verdicts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading and let what was sent land."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)
        self.producer.flush(5)

    async def submit(self, submissions: Sequence[Submission]) -> list[Verdict]:
        """The verdicts, in the order of the submissions; TransientError when one did not come in time."""
        if self.gate.is_shut():
            raise TransientError("too many submissions wait for their verdict", RETRY_AFTER_MS)
        wait = self._expect([s.message_id for s in submissions])
        wait.ticket = self.gate.enter(len(submissions))
        try:
            for s in submissions:
                self._send(SUBMISSIONS, s.tenant_id, s)
            await self._answered(wait)
        finally:
            self.gate.leave(wait.ticket)
            self._forget(wait)
        verdicts: list[Verdict] = list(wait.answers.values())
        for submission, verdict in zip(submissions, verdicts, strict=True):
            _log(submission, verdict)
        return verdicts

    async def status(self, tenant_id: str, message_id: str) -> StatusTold:
        """The live state of a message."""
        ask_id = self.new_id()
        told = await self._ask(CASCADE, message_id, ask_id, StatusAsked(message_id, tenant_id, ask_id, self.slot))
        return _expected(told, StatusTold)

    async def cancel(self, tenant_id: str, message_id: str) -> StatusTold:
        """Cancel a message."""
        ask_id = self.new_id()
        asked = CancelAsked(message_id, tenant_id, ask_id, self.slot, self.clock())
        return _expected(await self._ask(CASCADE, message_id, ask_id, asked), StatusTold)

    async def account(self, tenant_id: str) -> Account:
        """The tenant's money now."""
        ask_id = self.new_id()
        told = await self._ask(BILLING, tenant_id, ask_id, AccountAsked(tenant_id, ask_id, self.slot))
        return _expected(told, AccountTold).account

    async def grant(self, grant: Grant) -> Account:
        """Add credit, once for each grant id; the account afterwards."""
        self._send(BILLING, grant.tenant_id, grant)
        return await self.account(grant.tenant_id)

    async def _ask(self, topic: Topic, key: str, ask_id: str, question: Any) -> Any:
        wait = self._expect([ask_id])
        try:
            self._send(topic, key, question)
            await self._answered(wait)
        finally:
            self._forget(wait)
        return wait.answers[ask_id]

    def _expect(self, names: list[str]) -> Wait:
        if len(self._pending) + len(names) > MAX_PENDING:
            raise TransientError("too many requests wait for an answer", RETRY_AFTER_MS)
        wait = Wait(asyncio.get_running_loop().create_future(), dict.fromkeys(names), len(names))
        self._pending.update(dict.fromkeys(names, wait))
        return wait

    async def _answered(self, wait: Wait) -> None:
        """Wait at most ANSWER_TIMEOUT_S: one timer is half the cost of `asyncio.timeout`, and nothing else can end it."""
        if not wait.missing:
            return
        late = "the pipeline did not answer in time"
        timer = wait.done.get_loop().call_later(ANSWER_TIMEOUT_S, _fail, wait.done, late)
        try:
            await wait.done
        finally:
            timer.cancel()

    def _forget(self, wait: Wait) -> None:
        for name in wait.answers:
            self._pending.pop(name, None)

    def _send(self, topic: Topic, key: str, value: Any) -> None:
        try:
            self.producer.produce(topic.name, self.codec.encode(value), key.encode())
        except BufferError:
            raise TransientError("too many submissions wait to be stored", RETRY_AFTER_MS) from None

    def _report(self, error: KafkaError | None, message: Message) -> None:
        """Called by the reading thread: whoever waits for an answer to this record waits in vain."""
        value = message.value()
        if error is None or value is None:
            return
        record = self.codec.decode(value)
        wait = self._pending.get(record.message_id if isinstance(record, Submission) else getattr(record, "ask_id", ""))
        if wait is not None:
            failure = f"the submission was not stored: {error.name()}"
            wait.done.get_loop().call_soon_threadsafe(_fail, wait.done, failure)

    def _read(self, reader: Consumer, loop: asyncio.AbstractEventLoop) -> None:
        beat_ms = 0
        try:
            while not self._stop.is_set():
                first = reader.poll(POLL_S)
                if monotonic_ms() >= beat_ms:
                    beat_ms = monotonic_ms() + BEAT_MS
                    self.producer.poll(0)
                    self.background()
                if first is None:
                    continue
                messages = [first, *reader.consume(MAX_ANSWERS_A_BATCH, 0)]
                answers = [self.codec.decode(m.value() or b"") for m in messages if m.error() is None]
                loop.call_soon_threadsafe(self._resolve, answers)
        except Exception as error:  # noqa: BLE001 - whatever ends this thread must end the gateway, which watches `failure`
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            reader.close()

    def _resolve(self, answers: list[Answer]) -> None:
        for answer in answers:
            name = answer.submission_id if isinstance(answer, Verdict) else answer.ask_id
            wait = self._pending.pop(name, None)
            if wait is None:
                continue
            wait.answers[name] = answer
            wait.missing -= 1
            if wait.ticket is not None:
                self.gate.answered(wait.ticket)
            if not wait.missing and not wait.done.done():
                wait.done.set_result(None)


def _log(submission: Submission, verdict: Verdict) -> None:
    """What was refused is told; what was accepted is in the message's own timeline, and counted."""
    reject = verdict.reject
    if reject is not None and reject.code not in _COUNTED_ONLY:
        log.info(
            "submission_refused", message_id=verdict.message_id, tenant_id=submission.tenant_id,
            trace_id=submission.trace_id, protocol=submission.protocol, code=reject.code, replayed=verdict.replayed,
        )  # fmt: skip


def _fail(done: asyncio.Future[None], failure: str) -> None:
    if not done.done():
        done.set_exception(TransientError(failure, RETRY_AFTER_MS))


def _expected(answer: Any, kind: type[T]) -> T:
    if not isinstance(answer, kind):
        raise TypeError(f"expected {kind.__name__}, got {type(answer).__name__}")
    return answer


_COUNTED_ONLY: Final[frozenset[Code]] = frozenset({"rate_limit_exceeded", "overloaded", "idempotency_in_progress"})
