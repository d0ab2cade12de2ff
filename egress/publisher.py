"""Publishes values to topics; an awaited publication is durable."""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer

from schemas.codec import MAX_RECORD_OCTETS, Codec
from schemas.topics import Topic

PUBLISH_TIMEOUT_S = 30.0


@dataclass(slots=True)
class Publisher:
    """One producer of the process. What it cannot publish raises; the process ends and does its work again."""

    codec: Codec
    producer: AIOKafkaProducer

    @classmethod
    def create(cls, bootstrap: str, codec: Codec) -> "Publisher":
        """A publisher that is not started; make it inside the event loop."""
        return cls(
            codec,
            AIOKafkaProducer(
                bootstrap_servers=bootstrap,
                acks="all",
                enable_idempotence=True,
                linger_ms=2,
                max_request_size=MAX_RECORD_OCTETS,
                request_timeout_ms=int(PUBLISH_TIMEOUT_S * 1000),
            ),
        )

    async def start(self) -> None:
        """Connect."""
        await self.producer.start()

    async def stop(self) -> None:
        """Let what was sent land, and disconnect."""
        async with asyncio.timeout(PUBLISH_TIMEOUT_S):
            await self.producer.stop()

    async def publish(self, topic: Topic, key: str, value: Any, partition: int | None = None) -> None:
        """Publish one value, or a tombstone for None; when this returns it is durable."""
        octets = None if value is None else self.codec.encode(value)
        future = await self.producer.send(topic.name, octets, key.encode(), partition=partition)
        async with asyncio.timeout(PUBLISH_TIMEOUT_S):
            await future

    async def publish_all(self, topic: Topic, values: list[tuple[str, Any]]) -> None:
        """Publish values with their keys; when this returns all are durable."""
        encode = self.codec.encode
        futures = [await self.producer.send(topic.name, encode(value), key.encode()) for key, value in values]
        async with asyncio.timeout(PUBLISH_TIMEOUT_S):
            for future in futures:
                await future
