"""Receipts in: finds the attempt that a carrier speaks of and makes the receipt an event, durable before it is acknowledged.

All that came within a few milliseconds is one turn: looked up, made durable together, acknowledged together.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from domain.cascade.events import ReceiptArrived
from domain.delivery import ReceiptSeen
from egress.book import Book, segment_of, submit_key
from egress.lanes import Count
from egress.publisher import Publisher
from schemas.rows import Submit
from schemas.topics import CASCADE, SUBMITS

log = structlog.get_logger()

GATHER_S = 0.003
EARLY_PAUSE_S, EARLY_WAIT_S = 0.02, 2.0
"""A receipt may overtake the answer to its submit: it is looked up again after a pause, each time twice as long, and when it
has waited so long it counts as nobody's."""

MAX_EARLY = 1_000
"""Receipts that may wait like that at once, so that a flood of foreign ones does not take the room of the others."""

_GOOD = ("delivered", "read")


def _at_once(_key: str) -> bool:
    """Nothing to wait for."""
    return True


@dataclass(slots=True)
class _Taken:
    """A receipt on its way; `key` is its attempt's, once that is known; before `look_s` it is not looked up again."""

    receipt: ReceiptSeen
    done: asyncio.Future[None]
    since_s: float = 0.0
    look_s: float = 0.0
    key: str | None = None


@dataclass(slots=True)
class Receipts:
    """The receiver of all carriers' receipts in a process: keep `run` in a task group.

    `told` says whether the outcome of an attempt has been told: a receipt that overtook it waits, so that the message's
    events keep their order.
    """

    publisher: Publisher
    book: Book
    count: Count
    told: Callable[[str], bool] = _at_once
    _new: list[_Taken] = field(default_factory=list)
    _early: list[_Taken] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, receipt: ReceiptSeen) -> asyncio.Future[None]:
        """The future ends when the receipt is durable, or known to be nobody's; whoever cancels it has given up."""
        taken = _Taken(receipt, asyncio.get_running_loop().create_future())
        self._new.append(taken)
        self._wake.set()
        return taken.done

    async def run(self) -> None:
        """Work until cancelled; what cannot be published is raised."""
        while True:
            if not self._early:
                await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            await asyncio.sleep(0)  # by then the rows of all answers that were read before are kept
            self._wake.clear()
            await self.turn(asyncio.get_running_loop().time())

    async def turn(self, now_s: float) -> None:
        """Do all that can be done at `now_s` of a monotonic clock."""
        taken, self._new = [*self._early, *self._new], []
        self._early = [one for one in taken if one.look_s > now_s]
        ready: list[tuple[_Taken, Submit]] = []
        for one in taken:
            if one.look_s > now_s or one.done.done():
                continue
            one.key = one.key or self.book.find(one.receipt.carrier, one.receipt.provider_id)
            if one.key is not None and not self.told(one.key):
                self._new.append(one)
                self._wake.set()
            elif one.key is not None and (row := self.book.row_of(one.key)) is not None:
                ready.append((one, row))
            else:
                self._not_found(one, now_s)
        if ready:
            await self._keep(ready)

    def _not_found(self, one: _Taken, now_s: float) -> None:
        one.since_s = one.since_s or now_s
        waited_s = now_s - one.since_s
        if waited_s < EARLY_WAIT_S and len(self._early) < MAX_EARLY:
            one.look_s = now_s + max(EARLY_PAUSE_S, waited_s)
            self._early.append(one)
            return
        receipt = one.receipt
        self.count("hermes_smpp_deliver_sm_total", carrier=receipt.carrier, kind="orphan")
        log.warning("receipt_orphaned", carrier=receipt.carrier, provider_id=receipt.provider_id, status=receipt.status)
        one.done.set_result(None)

    async def _keep(self, ready: Sequence[tuple[_Taken, Submit]]) -> None:
        """First the ticks of long messages, then the events, then the word to the carriers."""
        encode = self.publisher.codec.encode
        events: list[tuple[str, bytes | None]] = []
        ticked: dict[str, Submit] = {}
        for one, found in ready:
            row = found
            if len(row.provider_ids) > 1 and one.receipt.status in _GOOD:
                key = submit_key(row.message_id, row.attempt)
                row = ticked[key] = _tick(ticked.get(key, row), one.receipt)
                if len(row.delivered_ids) < len(row.provider_ids):
                    continue
            events.append((row.message_id, encode(_event_of(row, one.receipt))))
        if ticked:
            rows = self.book.encoded(ticked.values())
            self.book.save(ticked.values(), rows)
            await self.publisher.publish_octets(SUBMITS, rows)
        if events:
            await self.publisher.publish_octets(CASCADE, events)
        for carrier, number in Counter(one.receipt.carrier for one, _ in ready).items():
            self.count("hermes_smpp_deliver_sm_total", number, carrier=carrier, kind="receipt")
        for one, _ in ready:
            if not one.done.done():
                one.done.set_result(None)


def _tick(row: Submit, receipt: ReceiptSeen) -> Submit:
    """A segment of a long message has arrived: it is delivered when all have."""
    return replace(row, delivered_ids=tuple(dict.fromkeys((*row.delivered_ids, segment_of(row, receipt.provider_id)))))


def _event_of(row: Submit, receipt: ReceiptSeen) -> ReceiptArrived:
    return ReceiptArrived(
        row.message_id, row.attempt, receipt.at_ms, receipt.carrier, receipt.status, receipt.code,
        row.segments, row.price_micros, row.cost_micros,
    )  # fmt: skip
