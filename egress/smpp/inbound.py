"""What a carrier delivers to us: receipts, made durable before they are acknowledged, and messages from handsets."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

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

SWEEP_S: Final = 0.25  # how late it may be noticed that storing takes too long


class NotStoredError(Exception):
    """Raised by a callback that could not make its value durable: the carrier is asked to send it again."""


class _Delivery(NamedTuple):
    """A delivery that is being stored, where its answer goes, and the time on the loop's clock until it must be."""

    link: "Link"
    message: ShortMessage
    receipt: ReceiptSeen | None
    deadline_s: float


class Inbound:
    """A bounded number of deliveries that are being stored: none ever holds up an enquire_link or a response.

    Too many of them, a slow store or a NotStoredError answer ESME_RX_T_APPN, on which a carrier tries again. A message from
    a handset that nobody asked for is refused for good (ESME_RX_P_APPN), which is the truth about it.
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
        self._loop = asyncio.get_running_loop()
        self._storing: dict[asyncio.Future[None], _Delivery] = {}  # oldest first
        self._failed: asyncio.Future[None] = self._loop.create_future()

    def put(self, link: "Link", message: ShortMessage) -> None:
        """Take a delivery to be stored and answered, or answer at once."""
        if len(self._storing) >= self._config.receipt_queue_limit:
            link.answer_message(message, ESME_RX_T_APPN)
            return
        now_ms = self._now_ms()
        found = receipt.read(message, datetime.fromtimestamp(now_ms / 1000, UTC))
        if found is not None:
            # The done date has the carrier's own zone and often no seconds: the moment of arrival is the better clock.
            seen = ReceiptSeen(self._config.name, found.id, found.status, found.code, now_ms)
            self._store(self._on_receipt(seen), link, message, seen)
        elif message.esm_class & ESM_TYPE_MASK in (ESM_RECEIPT, ESM_INTERMEDIATE):
            self._events.peer_fault(self._config.name, "receipt_without_id")
            link.answer_message(message, ESME_ROK)  # another try would bring the same octets
        elif self._on_message is None:
            link.answer_message(message, ESME_RX_P_APPN)
        else:
            self._store(self._on_message(message), link, message, None)

    async def run(self) -> None:
        """Until cancelled; what a callback raises beside NotStoredError comes out of here."""
        try:
            while True:
                await asyncio.wait([self._failed], timeout=SWEEP_S)
                if self._failed.done():
                    return self._failed.result()
                self._sweep()
        finally:
            for storing in self._storing:
                storing.cancel()

    async def settled(self) -> None:
        """Returns when every delivery taken so far is answered."""
        while self._storing:
            await asyncio.wait(set(self._storing))

    def _store(self, storing: Awaitable[None], link: "Link", message: ShortMessage, seen: ReceiptSeen | None) -> None:
        future = asyncio.ensure_future(storing)
        deadline_s = self._loop.time() + self._config.receipt_timeout_ms / 1000
        self._storing[future] = _Delivery(link, message, seen, deadline_s)
        future.add_done_callback(self._stored)

    def _stored(self, future: asyncio.Future[None]) -> None:
        delivery = self._storing.pop(future)
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, NotStoredError):
            if not self._failed.done():
                self._failed.set_exception(error)
            return
        stored = error is None and not future.cancelled()
        delivery.link.answer_message(delivery.message, ESME_ROK if stored else ESME_RX_T_APPN)
        if delivery.receipt is not None:
            self._events.receipt(delivery.receipt, stored=stored)

    def _sweep(self) -> None:
        """Give up what takes too long."""
        now_s = self._loop.time()
        for future, delivery in self._storing.items():
            if delivery.deadline_s > now_s:
                return
            future.cancel()


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
