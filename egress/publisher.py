"""Publishes values to topics; an awaited publication is durable.

One thread takes all that was asked for meanwhile, hands it to librdkafka, flushes, and wakes the event loop once for all of
it: the cost is by flush, not by record (docs/adr/0001).
"""

import asyncio
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from schemas.codec import Codec
from schemas.topics import Topic

PUBLISH_TIMEOUT_S = 30.0
GATHER_S, BUSY_GATHER_S = 0.002, 0.015
"""The first to ask waits so long for others to share its flush: the longer when the last flush was a busy one."""
BUSY_RECORDS = 12
FULL_WAIT_S = 0.1
MAX_ASKS_A_FLUSH = 5_000


class PublishError(Exception):
    """A record was not acknowledged; the process must end and do its work again."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """Records for one topic, and who waits until they are durable."""

    topic: str
    records: list[tuple[str, bytes | None]]
    wait: asyncio.Future[None]


@dataclass(slots=True)
class Publisher:
    """One producer of the process. Use it from one event loop."""

    codec: Codec
    producer: Producer
    _asks: SimpleQueue[_Ask | None] = field(default_factory=SimpleQueue)
    _failure: str = ""
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to publish; call it inside the event loop."""
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, args=(loop,), name="publisher", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Let what was asked for land, and end the thread."""
        self._asks.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, PUBLISH_TIMEOUT_S)

    async def publish(self, topic: Topic, key: str, value: Any) -> None:
        """Publish one value, or a tombstone for None; when this returns it is durable."""
        await self.publish_octets(topic, [(key, None if value is None else self.codec.encode(value))])

    async def publish_octets(self, topic: Topic, records: Iterable[tuple[str, bytes | None]]) -> None:
        """Publish encoded values with their keys; when this returns all are durable."""
        ask = _Ask(topic.name, list(records), asyncio.get_running_loop().create_future())
        self._asks.put(ask)
        await ask.wait  # the thread ends each in time, by an acknowledgement or an error

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        more, records = True, 0
        while more:
            more, asks = self._gathered(BUSY_GATHER_S if records >= BUSY_RECORDS else GATHER_S)
            records = sum(len(ask.records) for ask in asks)
            failure = self._stored(asks) if asks else ""
            loop.call_soon_threadsafe(_settle, asks, failure)

    def _gathered(self, gather_s: float) -> tuple[bool, list[_Ask]]:
        """What is asked for, in its order, and whether more may come."""
        asks: list[_Ask] = []
        ask = self._asks.get()
        time.sleep(gather_s)
        while ask is not None:
            asks.append(ask)
            if len(asks) == MAX_ASKS_A_FLUSH:
                return True, asks
            try:
                ask = self._asks.get_nowait()
            except Empty:
                return True, asks
        return False, asks

    def _stored(self, asks: list[_Ask]) -> str:
        """What went wrong, empty for nothing; nobody can say whose record it was, and the process ends of it anyway."""
        for ask in asks:
            for key, octets in ask.records:
                self._produce(ask.topic, key.encode(), octets)
        if left := self.producer.flush(PUBLISH_TIMEOUT_S):
            self._failure = self._failure or f"{left} records without an acknowledgement in {PUBLISH_TIMEOUT_S} s"
        return self._failure

    def _produce(self, topic: str, key: bytes, octets: bytes | None) -> None:
        while True:
            try:
                self.producer.produce(topic, octets, key, on_delivery=self._report)
            except BufferError:
                self.producer.poll(FULL_WAIT_S)
            else:
                return

    def _report(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failure = f"{message.topic()}: {error}"


def _settle(asks: list[_Ask], failure: str) -> None:
    for ask in asks:
        if ask.wait.done():  # whoever waited has given up
            continue
        if failure:
            ask.wait.set_exception(PublishError(failure))
        else:
            ask.wait.set_result(None)
