"""A publication is durable when it returns; those that come together share one flush; a failure is everybody's."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import KafkaError

from egress.publisher import Publisher, PublishError
from schemas.catalogue import codec
from schemas.topics import CASCADE, SUBMITS

WAIT_S = 5.0


@dataclass(slots=True)
class FakeProducer:
    """`flushed` are the flushes with their records; `full` is how often its queue has no room; `error` befalls all."""

    flushed: list[list[tuple[str, bytes, bytes | None]]] = field(default_factory=lambda: [[]])
    full: int = 0
    left: int = 0
    error: KafkaError | None = None

    def produce(self, topic: str, value: bytes | None, key: bytes, on_delivery: Callable[..., None]) -> None:
        if self.full:
            self.full -= 1
            raise BufferError
        self.flushed[-1].append((topic, key, value))
        if self.error is not None:
            on_delivery(self.error, FakeMessage())

    def poll(self, _wait_s: float) -> int:
        return 0

    def flush(self, _wait_s: float) -> int:
        self.flushed.append([])
        return self.left


class FakeMessage:
    """A record that was not acknowledged."""

    def topic(self) -> str:
        return CASCADE.name


def started(producer: FakeProducer) -> Publisher:
    library: Any = producer  # the publisher needs no more of one than the fake has
    publisher = Publisher(codec(), library)
    publisher.start()
    return publisher


async def test_what_is_asked_for_together_is_flushed_together_in_its_order() -> None:
    producer = FakeProducer(full=1)
    publisher = started(producer)
    async with asyncio.timeout(WAIT_S):
        await asyncio.gather(
            publisher.publish_octets(SUBMITS, [("a", b"1"), ("b", b"2")]), publisher.publish(CASCADE, "c", None)
        )
        await publisher.stop()
    assert producer.flushed[0] == [(SUBMITS.name, b"a", b"1"), (SUBMITS.name, b"b", b"2"), (CASCADE.name, b"c", None)]


async def test_a_record_without_an_acknowledgement_fails_its_publication_and_all_that_follow() -> None:
    producer = FakeProducer(error=KafkaError(KafkaError._MSG_TIMED_OUT))
    publisher = started(producer)
    async with asyncio.timeout(WAIT_S):
        with pytest.raises(PublishError, match=CASCADE.name):
            await publisher.publish(CASCADE, "c", None)
        producer.error = None
        with pytest.raises(PublishError):
            await publisher.publish(CASCADE, "c", None)
        await publisher.stop()


async def test_a_flush_that_does_not_end_is_a_failure() -> None:
    publisher = started(FakeProducer(left=1))
    async with asyncio.timeout(WAIT_S):
        with pytest.raises(PublishError, match="without an acknowledgement"):
            await publisher.publish(CASCADE, "c", None)
        await publisher.stop()


async def test_what_was_asked_for_before_the_end_still_lands() -> None:
    producer = FakeProducer()
    publisher = started(producer)
    async with asyncio.timeout(WAIT_S):
        last = asyncio.ensure_future(publisher.publish(CASCADE, "c", None))
        await asyncio.sleep(0)
        await publisher.stop()
        await last
    assert producer.flushed[0] == [(CASCADE.name, b"c", None)]
