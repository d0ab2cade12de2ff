"""Reads `hermes.receipts` and makes the receipts due that clients wait for: at least once, in the consumer group receipts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalGenerationError, IllegalStateError, RebalanceInProgressError

from domain.cascade.commands import StatusChanged
from ingress.smpp.outcome import settled_of
from ingress.smpp.receipt_store import ReceiptStore
from schemas.codec import MAX_RECORD_OCTETS, Codec, UnreadableError
from schemas.topics import RECEIPTS

GROUP: Final = "hermes.receipts"
MAX_BATCH: Final = 1_000
POLL_MS: Final = 500
FETCH_OCTETS: Final = 8 * 1024 * 1024
START_TIMEOUT_MS: Final = 60_000
STOP_TIMEOUT_MS: Final = 10_000
BROKER_TIMEOUT_MS: Final = 30_000
STORE_TIMEOUT_MS: Final = 60_000

Handle = Callable[[Sequence[StatusChanged]], Awaitable[None]]

log = structlog.get_logger()


async def settle(store: ReceiptStore, changes: Sequence[StatusChanged], codec: Codec) -> int:
    """The receipts of these changes are due; how many became so. Twice is the same as once."""
    return await store.settle(settled_of(changes, codec))


async def run_receipts(bootstrap: str, codec: Codec, handle: Handle, stop: asyncio.Event, group: str = GROUP) -> None:
    """Hand batches of status changes to `handle` until `stop`, and commit what it did.

    What `handle` raises is raised here with its batch uncommitted: the process starts again and the batch is done again.
    A record that cannot be read is passed over: the archive has the same change from `hermes.status`, or its dead letter.
    """
    consumer = AIOKafkaConsumer(
        RECEIPTS.name,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=FETCH_OCTETS,
        max_partition_fetch_bytes=MAX_RECORD_OCTETS,
        request_timeout_ms=BROKER_TIMEOUT_MS,
    )
    try:
        async with asyncio.timeout(START_TIMEOUT_MS / 1000):
            await consumer.start()
        while not stop.is_set():
            async with asyncio.timeout(BROKER_TIMEOUT_MS / 1000):
                fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_BATCH)
            records = [record for batch in fetched.values() for record in batch]
            if not records:
                continue
            changes = [change for record in records if (change := _read(record, codec)) is not None]
            if changes:
                async with asyncio.timeout(STORE_TIMEOUT_MS / 1000):
                    await handle(changes)
            await _commit(consumer, group)
    finally:
        async with asyncio.timeout(STOP_TIMEOUT_MS / 1000):
            await consumer.stop()


def _read(record: Any, codec: Codec) -> StatusChanged | None:
    try:
        value = codec.decode(record.value or b"")
    except UnreadableError:
        value = None
    if isinstance(value, StatusChanged):
        return value
    log.error("record_unreadable", topic=record.topic, partition=record.partition, offset=record.offset)
    return None


async def _commit(consumer: Any, group: str) -> None:
    try:
        async with asyncio.timeout(BROKER_TIMEOUT_MS / 1000):
            await consumer.commit()
    except (CommitFailedError, IllegalGenerationError, IllegalStateError, RebalanceInProgressError) as error:
        # the partitions have gone to another member, which does the batch again: settling twice is the same as once
        log.info("commit_refused", group=group, reason=type(error).__name__)
