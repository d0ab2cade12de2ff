"""An awaited publication is durable, or an error says that it may not be."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import KafkaError

from domain.errors import TransientError
from domain.inbound import Lift
from ingress.publisher import RecordPublisher
from schemas.catalogue import codec
from schemas.topics import INBOUND

CODEC = codec()
VALUE = Lift("t1", "sms", "+4520123456", 7)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a broker says of a record."""

    at: int

    def offset(self) -> int:
        """Where it is."""
        return self.at


@dataclass(slots=True)
class FakeProducer:
    """Keeps what is produced; `poll` reports it with `error`, or as stored one after the other."""

    error: KafkaError | None = None
    is_full: bool = False
    produced: list[tuple[str, bytes, bytes | None]] = field(default_factory=list)
    reports: list[Any] = field(default_factory=list)

    def produce(self, topic: str, value: bytes | None, key: bytes, on_delivery: Any) -> None:
        """Take a record."""
        if self.is_full:
            raise BufferError
        self.produced.append((topic, key, value))
        self.reports.append(on_delivery)

    def poll(self, _timeout: float) -> int:
        """Report."""
        for report in self.reports:
            report(self.error, Stored(41 + len(self.produced)))
        self.reports.clear()
        return 0


def rig(**changes: Any) -> tuple[RecordPublisher, FakeProducer]:
    producer = FakeProducer(**changes)
    any_producer: Any = producer
    return RecordPublisher(CODEC, any_producer), producer


async def test_it_returns_when_the_record_is_reported() -> None:
    publisher, producer = rig()
    publishing = asyncio.create_task(publisher.publish(INBOUND, "t1", VALUE))
    await asyncio.sleep(0)
    assert not publishing.done()
    publisher.poll()
    await publishing
    ((topic, key, value),) = producer.produced
    assert (topic, key, CODEC.decode(value or b"")) == (INBOUND.name, b"t1", VALUE)


async def test_octets_tell_their_offset() -> None:
    publisher, _ = rig()
    publishing = asyncio.create_task(publisher.publish_octets(INBOUND, "t1", None))
    await asyncio.sleep(0)
    publisher.poll()
    assert await publishing == 42


async def test_what_was_refused_or_finds_no_room_is_an_error_for_now() -> None:
    publisher, _ = rig(error=KafkaError(KafkaError._MSG_TIMED_OUT))
    publishing = asyncio.create_task(publisher.publish(INBOUND, "t1", VALUE))
    await asyncio.sleep(0)
    publisher.poll()
    with pytest.raises(TransientError, match="not published"):
        await publishing
    full, _ = rig(is_full=True)
    with pytest.raises(TransientError, match="wait"):
        await full.publish(INBOUND, "t1", VALUE)


async def test_a_report_that_comes_after_its_caller_has_gone_is_let_go() -> None:
    publisher, _ = rig()
    publishing = asyncio.create_task(publisher.publish(INBOUND, "t1", VALUE))
    await asyncio.sleep(0)
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
    publisher.poll()
    await asyncio.sleep(0)
    assert publishing.cancelled()
