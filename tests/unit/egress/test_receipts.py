"""Receipts become events of the attempt that they speak of, durable when `take` returns; nobody's are counted."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from domain.delivery import ReceiptSeen, ReceiptStatus
from egress.book import Book
from egress.receipts import MAX_EARLY, Receipts
from schemas.catalogue import codec
from schemas.rows import Submit
from schemas.topics import CASCADE, SUBMITS
from tables.store import MemoryStore
from tests.fakes.fake_egress import FakePublisher

CODEC = codec()
ROW = Submit("msg-1", 2, "telia", "sent", ("a1",), 1, 30_000, 12_000, "trace", 5)
METRIC = "hermes_smpp_deliver_sm_total"


class Rig:
    """Receipts over fakes; `early` of them are waiting already."""

    def __init__(self, *rows: Submit, early: int = 0) -> None:
        self.publisher = FakePublisher(CODEC)
        self.book = Book(MemoryStore(), CODEC)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.keep(*rows)
        publisher: Any = self.publisher  # receipts need no more of one than the fake has
        self.receipts = Receipts(publisher, self.book, self._count, _early=early)

    def keep(self, *rows: Submit) -> None:
        self.book.save(rows, self.book.encoded(rows))

    async def take(self, provider_id: str, status: ReceiptStatus = "delivered") -> None:
        await self.receipts.take(ReceiptSeen("telia", provider_id, status, "000", 77))

    def _count(self, metric: str, amount: float = 1, **labels: str) -> None:
        self.counts[metric, labels["kind"]] += int(amount)


async def test_a_receipt_is_an_event_of_its_attempt_with_its_route_and_price() -> None:
    rig = Rig(ROW)
    await rig.take("A1")
    (event,) = rig.publisher.on(CASCADE)
    assert (event.message_id, event.attempt, event.status, event.code, event.at_ms) == (
        "msg-1",
        2,
        "delivered",
        "000",
        77,
    )
    assert (event.carrier, event.segments, event.price_micros, event.cost_micros) == ("telia", 1, 30_000, 12_000)
    assert rig.counts == {(METRIC, "receipt"): 1}


async def test_a_receipt_that_overtakes_the_answer_to_its_submit_waits_for_it() -> None:
    rig = Rig()
    async with asyncio.TaskGroup() as group:
        group.create_task(rig.take("a1"))
        await asyncio.sleep(0)
        rig.keep(ROW)
    assert [e.message_id for e in rig.publisher.on(CASCADE)] == ["msg-1"]


async def test_a_receipt_that_overtakes_the_outcome_of_its_attempt_is_told_after_it() -> None:
    rig = Rig(ROW)
    outcome_told = asyncio.Event()

    async def told(message_id: str, attempt: int) -> None:
        assert (message_id, attempt) == ("msg-1", 2)
        await outcome_told.wait()

    rig.receipts.told = told
    async with asyncio.TaskGroup() as group:
        group.create_task(rig.take("a1"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert rig.publisher.on(CASCADE) == []
        outcome_told.set()
    assert len(rig.publisher.on(CASCADE)) == 1


async def test_a_receipt_that_belongs_to_nobody_is_counted_and_told_to_nobody() -> None:
    rig = Rig(ROW, early=MAX_EARLY)  # so many wait already that it does not
    await rig.take("b9")
    assert rig.publisher.story == []
    assert rig.counts == {(METRIC, "orphan"): 1}


async def test_a_long_message_is_delivered_when_every_segment_is_and_the_ticks_are_durable() -> None:
    rig = Rig(replace(ROW, provider_ids=("a1", "a2", "a3"), segments=3))
    await rig.take("a2")
    await rig.take("a2")
    await rig.take("a1")
    assert rig.publisher.on(CASCADE) == []
    assert [row.delivered_ids for row in rig.publisher.on(SUBMITS)] == [("a2",), ("a2",), ("a2", "a1")]
    await rig.take("a3")
    assert [e.status for e in rig.publisher.on(CASCADE)] == ["delivered"]


async def test_segments_whose_receipts_are_spelt_in_two_ways_are_counted_once_each() -> None:
    rig = Rig(replace(ROW, provider_ids=("0A", "0B"), segments=2))
    await rig.take("0A")
    await rig.take("0a")
    assert rig.publisher.on(CASCADE) == []


@pytest.mark.parametrize("status", ["failed", "expired", "rejected", "enroute"])
async def test_one_segment_that_did_not_arrive_is_told_at_once(status: ReceiptStatus) -> None:
    rig = Rig(replace(ROW, provider_ids=("a1", "a2"), segments=2))
    await rig.take("a1", status)
    assert [e.status for e in rig.publisher.on(CASCADE)] == [status]


async def test_a_receipt_that_cannot_be_stored_is_not_acknowledged() -> None:
    rig = Rig(ROW)
    rig.publisher.error = ConnectionError("no broker")
    with pytest.raises(ConnectionError):
        await rig.take("a1")
