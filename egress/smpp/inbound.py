"""What a carrier delivers to us: receipts, made durable before they are acknowledged, and messages from handsets."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from domain.delivery import ReceiptSeen
from egress.smpp.config import CarrierConfig
from egress.smpp.events import CarrierEvents
from schemas.smpp import commands as c
from schemas.smpp import receipt
from schemas.smpp.pdu import ESM_INTERMEDIATE, ESM_RECEIPT, ESM_TYPE_MASK, Pdu, ShortMessage
from schemas.smpp.status import ESME_ROK, ESME_RX_P_APPN, ESME_RX_T_APPN

if TYPE_CHECKING:
    from egress.smpp.link import Link

OnReceipt = Callable[[ReceiptSeen], Awaitable[None]]
OnMessage = Callable[[ShortMessage], Awaitable[None]]


class NotStoredError(Exception):
    """Raised by a callback that could not make its value durable: the carrier is asked to send it again."""


class Inbound:
    """A bounded queue and a fixed number of workers: no delivery ever holds up an enquire_link or a response.

    A full queue, a slow store or a NotStoredError answer ESME_RX_T_APPN, on which a carrier tries again. A message from a
    handset that nobody asked for is refused for good (ESME_RX_P_APPN), which is the truth about it.
    """

    def __init__(
        self,
        config: CarrierConfig,
        on_receipt: OnReceipt,
        on_message: OnMessage | None,
        events: CarrierEvents,
        now_ms: Callable[[], int],
    ) -> None:
        self._config = config
        self._on_receipt = on_receipt
        self._on_message = on_message
        self._events = events
        self._now_ms = now_ms
        self._queue: asyncio.Queue[tuple[Link, ShortMessage]] = asyncio.Queue(config.receipt_queue_limit)

    def put(self, link: "Link", message: ShortMessage) -> None:
        """Take a delivery to be worked on and answered, or answer at once that there is no room."""
        if self._queue.full():
            link.answer_message(message, ESME_RX_T_APPN)
        else:
            self._queue.put_nowait((link, message))

    async def work(self) -> None:
        """One worker, until it is cancelled. What a callback raises beside NotStoredError ends it and its task group."""
        while True:
            link, message = await self._queue.get()
            try:
                link.answer_message(message, await self._handle(message))
            finally:
                self._queue.task_done()

    async def settled(self) -> None:
        """Returns when every delivery taken so far is answered."""
        await self._queue.join()

    async def _handle(self, message: ShortMessage) -> int:
        now_ms = self._now_ms()
        found = receipt.read(message, datetime.fromtimestamp(now_ms / 1000, UTC))
        if found is None:
            return await self._handle_other(message)
        # The done date has the carrier's own zone and often no seconds: the moment of arrival is the better clock.
        seen = ReceiptSeen(self._config.name, found.id, found.status, found.code, now_ms)
        stored = await self._store(self._on_receipt(seen))
        self._events.receipt(seen, stored=stored)
        return ESME_ROK if stored else ESME_RX_T_APPN

    async def _handle_other(self, message: ShortMessage) -> int:
        if message.esm_class & ESM_TYPE_MASK in (ESM_RECEIPT, ESM_INTERMEDIATE):
            self._events.peer_fault(self._config.name, "receipt_without_id")
            return ESME_ROK  # another try would bring the same octets
        if self._on_message is None:
            return ESME_RX_P_APPN
        return ESME_ROK if await self._store(self._on_message(message)) else ESME_RX_T_APPN

    async def _store(self, storing: Awaitable[None]) -> bool:
        try:
            async with asyncio.timeout(self._config.receipt_timeout_ms / 1000):
                await storing
        except (TimeoutError, NotStoredError):
            return False
        return True


def as_message(pdu: ShortMessage | Pdu) -> ShortMessage | None:
    """A deliver_sm as it is, a data_sm in the same shape; None for anything else."""
    if isinstance(pdu, ShortMessage):
        return pdu if pdu.command_id == c.DELIVER_SM else None
    if pdu.command_id != c.DATA_SM:
        return None
    return ShortMessage(
        command_id=c.DATA_SM,
        sequence=pdu.sequence,
        source_addr=pdu.text("source_addr"),
        destination_addr=pdu.text("destination_addr"),
        esm_class=pdu.number("esm_class"),
        data_coding=pdu.number("data_coding"),
        tlvs=pdu.tlvs,
    )
