"""Receipts in: finds the attempt that a carrier speaks of and makes the receipt an event, durable before it is acknowledged."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import structlog

from domain.cascade.events import ReceiptArrived
from domain.delivery import ReceiptSeen
from egress.book import Book, segment_of
from egress.lanes import Count
from egress.publisher import Publisher
from schemas.rows import Submit
from schemas.topics import CASCADE, SUBMITS

log = structlog.get_logger()

EARLY_WAITS_S = (0.02, 0.05, 0.1, 0.3, 0.5, 1.0)
"""A receipt may overtake the answer to its submit: look again after these pauses before it counts as nobody's."""

MAX_EARLY = 16
"""Receipts that may wait like that at once, so that a flood of foreign ones does not stop the others."""

_GOOD = ("delivered", "read")


async def _at_once(_message_id: str, _attempt: int) -> None:
    """Nothing to wait for."""


@dataclass(slots=True)
class Receipts:
    """The receiver of all carriers' receipts in a process.

    `told` returns when the outcome of an attempt has been told: a receipt that overtook it waits, so that the message's
    events keep their order.
    """

    publisher: Publisher
    book: Book
    count: Count
    told: Callable[[str, int], Awaitable[None]] = _at_once
    _early: int = field(default=0)

    async def take(self, receipt: ReceiptSeen) -> None:
        """When this returns the receipt is durable, or known to be nobody's."""
        row = self.book.find(receipt.carrier, receipt.provider_id) or await self._wait_for(receipt)
        if row is None:
            self.count("hermes_smpp_deliver_sm_total", carrier=receipt.carrier, kind="orphan")
            log.warning(
                "receipt_orphaned", carrier=receipt.carrier, provider_id=receipt.provider_id, status=receipt.status
            )
            return
        self.count("hermes_smpp_deliver_sm_total", carrier=receipt.carrier, kind="receipt")
        await self.told(row.message_id, row.attempt)
        if len(row.provider_ids) > 1 and receipt.status in _GOOD:
            row = await self._tick(row, receipt)
            if len(row.delivered_ids) < len(row.provider_ids):
                return
        event = ReceiptArrived(
            row.message_id, row.attempt, receipt.at_ms, receipt.carrier, receipt.status, receipt.code,
            row.segments, row.price_micros, row.cost_micros,
        )  # fmt: skip
        await self.publisher.publish(CASCADE, row.message_id, event)
        log.debug(
            "receipt", carrier=receipt.carrier, message_id=row.message_id, attempt=row.attempt, status=receipt.status,
            trace_id=row.trace_id,
        )  # fmt: skip

    async def _wait_for(self, receipt: ReceiptSeen) -> Submit | None:
        if self._early >= MAX_EARLY:
            return None
        self._early += 1
        try:
            for pause_s in EARLY_WAITS_S:
                await asyncio.sleep(pause_s)
                row = self.book.find(receipt.carrier, receipt.provider_id)
                if row is not None:
                    return row
        finally:
            self._early -= 1
        return None

    async def _tick(self, row: Submit, receipt: ReceiptSeen) -> Submit:
        """A segment of a long message has arrived: it is delivered when all have."""
        done = tuple(dict.fromkeys((*row.delivered_ids, segment_of(row, receipt.provider_id))))
        row = replace(row, delivered_ids=done)
        rows = self.book.encoded([row])
        self.book.save([row], rows)
        await self.publisher.publish_octets(SUBMITS, rows)
        return row
