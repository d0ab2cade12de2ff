"""Publishes single records of a gateway: an awaited publication is durable, or TransientError says that it may not be."""

import asyncio
from typing import Any, Final

from confluent_kafka import KafkaError, Message, Producer

from domain.errors import TransientError
from schemas.codec import Codec
from schemas.topics import Topic

TIMEOUT_S: Final = 5.0
RETRY_AFTER_MS: Final = 1_000


class RecordPublisher:
    """Over a producer that reports every delivery; `poll` has to be called again and again, by whichever thread."""

    def __init__(self, codec: Codec, producer: Producer) -> None:
        self._codec = codec
        self._producer = producer

    def poll(self) -> None:
        """Serve delivery reports."""
        self._producer.poll(0)

    async def publish(self, topic: Topic, key: str, value: Any) -> None:
        """Publish one value."""
        await self.publish_octets(topic, key, self._codec.encode(value))

    async def publish_octets(self, topic: Topic, key: str, octets: bytes | None) -> int:
        """Publish one encoded value, or a tombstone for None; its offset."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()

        def report(error: KafkaError | None, message: Message) -> None:
            failure = None if error is None else TransientError(f"not published: {error.name()}", RETRY_AFTER_MS)
            loop.call_soon_threadsafe(_settle, done, failure or (message.offset() or 0))

        try:
            self._producer.produce(topic.name, octets, key.encode(), on_delivery=report)
            async with asyncio.timeout(TIMEOUT_S):
                return await done
        except BufferError:
            raise TransientError("too many records wait to be published", RETRY_AFTER_MS) from None
        except TimeoutError:
            raise TransientError("not published yet", RETRY_AFTER_MS) from None


def _settle(future: "asyncio.Future[int]", result: int | TransientError) -> None:
    if future.done():
        return
    if isinstance(result, TransientError):
        future.set_exception(result)
    else:
        future.set_result(result)
