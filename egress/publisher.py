"""Publishes values to topics; an awaited publication is durable.

On librdkafka with one thread that collects acknowledgements and wakes the event loop once for all that came together: half
the CPU of aiokafka's producer on this path (docs/adr/0001).
"""

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from schemas.codec import Codec
from schemas.topics import Topic

PUBLISH_TIMEOUT_S = 30.0
POLL_S = 0.05
FULL_PAUSE_S = 0.01

Acknowledgement = tuple[asyncio.Future[None], str]
"""Who waits, and what went wrong (empty for nothing)."""


class PublishError(Exception):
    """A record was not acknowledged; the process must end and do its work again."""


@dataclass(slots=True)
class Publisher:
    """One producer of the process, which must report every delivery. Use it from one event loop."""

    codec: Codec
    producer: Producer
    _done: list[Acknowledgement] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to collect acknowledgements; call it inside the event loop."""
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._collect, args=(loop,), name="publisher", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Let what was sent land, and end the thread."""
        await asyncio.to_thread(self.producer.flush, PUBLISH_TIMEOUT_S)
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, PUBLISH_TIMEOUT_S)

    async def publish(self, topic: Topic, key: str, value: Any) -> None:
        """Publish one value, or a tombstone for None; when this returns it is durable."""
        await self.publish_octets(topic, [(key, None if value is None else self.codec.encode(value))])

    async def publish_octets(self, topic: Topic, records: Iterable[tuple[str, bytes | None]]) -> None:
        """Publish encoded values with their keys; when this returns all are durable."""
        loop = asyncio.get_running_loop()
        waits = [await self._send(topic, key, octets, loop.create_future()) for key, octets in records]
        for wait in waits:  # librdkafka ends each in time, by an acknowledgement or an error
            await wait

    async def _send(
        self, topic: Topic, key: str, octets: bytes | None, wait: asyncio.Future[None]
    ) -> asyncio.Future[None]:
        def report(error: KafkaError | None, _message: Message) -> None:
            self._done.append((wait, "" if error is None else f"{topic.name}: {error}"))

        while True:
            try:
                self.producer.produce(topic.name, octets, key.encode(), on_delivery=report)
            except BufferError:
                await asyncio.sleep(FULL_PAUSE_S)
            else:
                return wait

    def _collect(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stop.is_set():
            self.producer.poll(POLL_S)
            if self._done:
                done, self._done = self._done, []
                loop.call_soon_threadsafe(_settle, done)


def _settle(done: list[Acknowledgement]) -> None:
    for wait, failure in done:
        if wait.done():
            continue
        if failure:
            wait.set_exception(PublishError(failure))
        else:
            wait.set_result(None)
