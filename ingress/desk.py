"""The desk of a gateway: hands submissions to the pipeline and waits for its answers on the gateway's own partition.

Both ends are on librdkafka. One thread reads the verdicts in batches and wakes the event loop once a batch; the same
thread keeps the gateway's view of the configuration up to date.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from domain.billing.money import Account, AccountAsked, AccountTold, Grant
from domain.cascade.commands import StatusTold
from domain.cascade.events import CancelAsked, StatusAsked
from domain.errors import TransientError
from domain.message import Submission
from domain.verdict import Verdict
from schemas.codec import Codec
from schemas.topics import BILLING, CASCADE, SUBMISSIONS, VERDICTS, Topic

T = TypeVar("T")
log = structlog.get_logger()

MAX_PENDING = 20_000
ANSWER_TIMEOUT_S = 5.0
RETRY_AFTER_MS = 1_000
MAX_ANSWERS_A_BATCH = 1_000
POLL_S = 0.02


@dataclass(slots=True)
class PipelineDesk:
    """The one desk of a gateway process. `background` is called by the reading thread at each turn (configuration)."""

    bootstrap: str
    codec: Codec
    slot: int
    producer: Producer
    clock: Callable[[], int]
    new_id: Callable[[], str]
    background: Callable[[], None] = lambda: None
    failure: str = ""
    _pending: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

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
        try:
            waits = [self._expect(s.message_id) for s in submissions]
            for s in submissions:
                self._send(SUBMISSIONS, s.tenant_id, s, s.message_id)
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                verdicts = [await wait for wait in waits]
        except TimeoutError:
            raise TransientError("the pipeline did not answer in time", RETRY_AFTER_MS) from None
        else:
            for submission, verdict in zip(submissions, verdicts, strict=True):
                _log(submission, verdict)
            return verdicts
        finally:
            for s in submissions:
                self._pending.pop(s.message_id, None)

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
        self._send(BILLING, grant.tenant_id, grant, "")
        return await self.account(grant.tenant_id)

    async def _ask(self, topic: Topic, key: str, ask_id: str, question: Any) -> Any:
        wait = self._expect(ask_id)
        try:
            self._send(topic, key, question, ask_id)
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await wait
        except TimeoutError:
            raise TransientError("the pipeline did not answer in time", RETRY_AFTER_MS) from None
        finally:
            self._pending.pop(ask_id, None)

    def _expect(self, name: str) -> asyncio.Future[Any]:
        if len(self._pending) >= MAX_PENDING:
            raise TransientError("too many requests wait for an answer", RETRY_AFTER_MS)
        wait = asyncio.get_running_loop().create_future()
        self._pending[name] = wait
        return wait

    def _send(self, topic: Topic, key: str, value: Any, name: str) -> None:
        def report(error: KafkaError | None, _message: Message) -> None:
            wait = self._pending.get(name)
            if error is not None and wait is not None:
                failure = TransientError(f"the submission was not stored: {error.name()}", RETRY_AFTER_MS)
                wait.get_loop().call_soon_threadsafe(_fail, wait, failure)

        try:
            self.producer.produce(topic.name, self.codec.encode(value), key.encode(), on_delivery=report)
        except BufferError:
            raise TransientError("too many submissions wait to be stored", RETRY_AFTER_MS) from None

    def _read(self, reader: Consumer, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while not self._stop.is_set():
                first = reader.poll(POLL_S)
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

    def _resolve(self, answers: list[Verdict | StatusTold | AccountTold]) -> None:
        for answer in answers:
            wait = self._pending.get(answer.submission_id if isinstance(answer, Verdict) else answer.ask_id)
            if wait is not None and not wait.done():
                wait.set_result(answer)


def _log(submission: Submission, verdict: Verdict) -> None:
    log.info(
        "submission_answered", message_id=verdict.message_id, tenant_id=submission.tenant_id,
        trace_id=submission.trace_id, protocol=submission.protocol,
        answer=verdict.reject.code if verdict.reject else "replayed" if verdict.replayed else "accepted",
    )  # fmt: skip


def _fail(wait: asyncio.Future[Any], failure: TransientError) -> None:
    if not wait.done():
        wait.set_exception(failure)


def _expected(answer: Any, kind: type[T]) -> T:
    if not isinstance(answer, kind):
        raise TypeError(f"expected {kind.__name__}, got {type(answer).__name__}")
    return answer
