"""The desk's promises to a gateway, with a producer that keeps what it is handed and verdicts given by hand."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import KafkaError

from domain.cascade.commands import StatusTold
from domain.cascade.events import CancelAsked, StatusAsked
from domain.errors import TransientError
from domain.message import Submission
from domain.verdict import Verdict
from ingress.desk import MAX_PENDING, PipelineDesk, Report
from ingress.gate import Gate
from schemas.catalogue import codec
from schemas.topics import CASCADE, SUBMISSIONS
from tests.unit.domain.given import NOW, submission

CODEC = codec()
TURNS = 10


@dataclass(slots=True)
class FakeProducer:
    """Keeps topic, key and value; `full` refuses, `error` is told to `report` for each record."""

    report: Report = lambda error, message: None
    produced: list[tuple[str, bytes, Any]] = field(default_factory=list)
    full: bool = False
    error: KafkaError | None = None

    def produce(self, topic: str, value: bytes, key: bytes) -> None:
        if self.full:
            raise BufferError
        self.produced.append((topic, key, CODEC.decode(value)))
        if self.error is not None:
            record: Any = FakeRecord(value)
            self.report(self.error, record)


@dataclass(frozen=True, slots=True)
class FakeRecord:
    """A record that could not be stored."""

    octets: bytes

    def value(self) -> bytes:
        return self.octets


def desk_over(producer: FakeProducer) -> PipelineDesk:
    ids = itertools.count(1)

    def connect(report: Report) -> Any:
        producer.report = report
        return producer  # the desk needs no more of one than the fake has

    return PipelineDesk("nowhere", CODEC, 3, connect, lambda: NOW, lambda: f"ask-{next(ids)}")


def verdict(of: Submission) -> Verdict:
    return Verdict(of.message_id, of.message_id, of.tenant_id, NOW)


def several(count: int) -> list[Submission]:
    return [submission(message_id=f"msg-{n}") for n in range(count)]


async def turn() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_verdicts_come_in_the_order_of_the_submissions_whatever_the_pipelines_order() -> None:
    producer = FakeProducer()
    desk = desk_over(producer)
    asked = several(3)
    answers = asyncio.ensure_future(desk.submit(asked))
    await turn()
    assert [(topic, key) for topic, key, _ in producer.produced] == [(SUBMISSIONS.name, b"t1")] * 3
    desk._resolve([verdict(s) for s in reversed(asked)])
    assert [v.message_id for v in await answers] == ["msg-0", "msg-1", "msg-2"]


async def test_an_answer_that_nobody_waits_for_is_let_go() -> None:
    desk = desk_over(FakeProducer())
    desk._resolve([verdict(submission()), StatusTold("ask-9", None)])
    assert not desk._pending


async def test_a_question_goes_to_the_messages_topic_with_the_slot_of_this_gateway() -> None:
    producer = FakeProducer()
    desk = desk_over(producer)
    status = asyncio.ensure_future(desk.status("t1", "msg-1"))
    cancel = asyncio.ensure_future(desk.cancel("t1", "msg-1"))
    await turn()
    assert producer.produced == [
        (CASCADE.name, b"msg-1", StatusAsked("msg-1", "t1", "ask-1", 3)),
        (CASCADE.name, b"msg-1", CancelAsked("msg-1", "t1", "ask-2", 3, NOW)),
    ]
    desk._resolve([StatusTold("ask-2", None, done=False, reason="late"), StatusTold("ask-1", None)])
    assert (await status).done
    assert (await cancel).reason == "late"


async def test_a_submission_that_is_not_stored_is_a_transient_error() -> None:
    desk = desk_over(FakeProducer(error=KafkaError(KafkaError._MSG_TIMED_OUT)))
    with pytest.raises(TransientError, match="not stored"):
        await desk.submit(several(1))
    assert not desk._pending


async def test_a_full_queue_of_the_producer_is_a_transient_error_and_leaves_nothing_waiting() -> None:
    desk = desk_over(FakeProducer(full=True))
    with pytest.raises(TransientError, match="wait to be stored"):
        await desk.submit(several(2))
    assert not desk._pending


async def test_more_than_may_wait_are_refused_and_those_before_them_are_not_kept_waiting() -> None:
    producer = FakeProducer()
    desk = desk_over(producer)
    with pytest.raises(TransientError, match="too many"):
        await desk.submit(several(MAX_PENDING + 1))
    assert not desk._pending
    assert not producer.produced


async def test_a_question_that_is_not_stored_is_a_transient_error() -> None:
    desk = desk_over(FakeProducer(error=KafkaError(KafkaError._MSG_TIMED_OUT)))
    with pytest.raises(TransientError, match="not stored"):
        await desk.status("t1", "msg-1")
    assert not desk._pending


async def test_a_batch_is_answered_when_its_last_verdict_is_there() -> None:
    desk = desk_over(FakeProducer())
    asked = several(3)
    answers = asyncio.ensure_future(desk.submit(asked))
    await turn()
    desk._resolve([verdict(asked[1])])
    desk._resolve([verdict(asked[1]), verdict(asked[0])])
    await turn()
    assert not answers.done()
    desk._resolve([verdict(asked[2])])
    assert len(await answers) == 3
    assert not desk._pending


async def test_a_shut_gate_refuses_before_anything_is_sent_and_opens_when_the_waiting_are_answered() -> None:
    producer = FakeProducer()
    desk = desk_over(producer)
    desk.gate = Gate(lambda: 0, burst=2)
    asked = several(2)
    answers = asyncio.ensure_future(desk.submit(asked))
    await turn()
    with pytest.raises(TransientError, match="wait for their verdict"):
        await desk.submit([submission(message_id="msg-9")])
    assert len(producer.produced) == 2
    desk._resolve([verdict(s) for s in asked])
    await answers
    assert not desk.gate.is_shut()


async def test_a_caller_that_goes_away_leaves_nothing_waiting() -> None:
    desk = desk_over(FakeProducer())
    answers = asyncio.ensure_future(desk.submit(several(2)))
    await turn()
    assert len(desk._pending) == 2
    answers.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answers
    assert not desk._pending
    assert not desk.gate.is_shut()
