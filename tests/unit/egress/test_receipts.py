"""Receipts become events of the attempt that they speak of, durable when their future ends; nobody's are counted."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from domain.delivery import ReceiptSeen, ReceiptStatus
from egress.book import Book, submit_key
from egress.receipts import EARLY_PAUSE_S, EARLY_WAIT_S, MAX_EARLY, Receipts
from schemas.catalogue import codec
from schemas.rows import Submit
from schemas.topics import CASCADE, SUBMITS
from tables.store import MemoryStore
from tests.fakes.fake_egress import FakePublisher

CODEC = codec()
ROW = Submit("msg-1", 2, "telia", "sent", ("a1",), 1, 30_000, 12_000, "trace", 5)
NOW_S = 100.0
METRIC = "hermes_smpp_deliver_sm_total"


class Rig:
    """Receipts over fakes, a turn at a time."""

    def __init__(self, *rows: Submit) -> None:
        self.publisher = FakePublisher(CODEC)
        self.book = Book(MemoryStore(), CODEC)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.keep(*rows)
        publisher: Any = self.publisher  # receipts need no more of one than the fake has
        self.receipts = Receipts(publisher, self.book, self._count)

    def keep(self, *rows: Submit) -> None:
        self.book.save(rows, self.book.encoded(rows))

    def put(self, provider_id: str, status: ReceiptStatus = "delivered") -> asyncio.Future[None]:
        return self.receipts.take(ReceiptSeen("telia", provider_id, status, "000", 77))

    async def take(self, provider_id: str, status: ReceiptStatus = "delivered") -> None:
        done = self.put(provider_id, status)
        await self.receipts.turn(NOW_S)
        assert done.done()

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
    done = rig.put("a1")
    await rig.receipts.turn(NOW_S)
    rig.keep(ROW)
    await rig.receipts.turn(NOW_S + EARLY_PAUSE_S / 2)
    assert rig.publisher.story == []
    await rig.receipts.turn(NOW_S + EARLY_PAUSE_S)
    assert [e.message_id for e in rig.publisher.on(CASCADE)] == ["msg-1"]
    assert done.done()


async def test_a_receipt_that_overtakes_the_outcome_of_its_attempt_is_told_after_it() -> None:
    rig = Rig(ROW)
    under_way = {submit_key("msg-1", 2)}
    rig.receipts.told = lambda key: key not in under_way
    done = rig.put("a1")
    await rig.receipts.turn(NOW_S)
    assert rig.publisher.on(CASCADE) == []
    assert not done.done()
    under_way.clear()
    await rig.receipts.turn(NOW_S)
    assert len(rig.publisher.on(CASCADE)) == 1
    assert done.done()


async def test_a_receipt_that_belongs_to_nobody_is_counted_in_the_end_and_told_to_nobody() -> None:
    rig = Rig(ROW)
    done = rig.put("b9")
    await rig.receipts.turn(NOW_S)
    assert not done.done()
    await rig.receipts.turn(NOW_S + EARLY_WAIT_S)
    assert done.done()
    assert rig.publisher.story == []
    assert rig.counts == {(METRIC, "orphan"): 1}


async def test_a_flood_of_foreign_receipts_waits_in_bounds_and_the_others_go_on() -> None:
    rig = Rig(ROW)
    foreign = [rig.put(f"b{number}") for number in range(MAX_EARLY + 3)]
    own = rig.put("a1")
    await rig.receipts.turn(NOW_S)
    assert sum(done.done() for done in foreign) == 3
    assert own.done()


async def test_receipts_of_one_turn_are_one_publication() -> None:
    rig = Rig(ROW, replace(ROW, message_id="msg-2", provider_ids=("a2",)))
    both = [rig.put("a1"), rig.put("a2")]
    await rig.receipts.turn(NOW_S)
    assert [e.message_id for e in rig.publisher.on(CASCADE)] == ["msg-1", "msg-2"]
    assert all(done.done() for done in both)
    assert rig.counts == {(METRIC, "receipt"): 2}


async def test_two_segments_of_one_turn_are_both_ticked() -> None:
    rig = Rig(replace(ROW, provider_ids=("a1", "a2"), segments=2))
    rig.put("a1")
    rig.put("a2")
    await rig.receipts.turn(NOW_S)
    assert [row.delivered_ids for row in rig.publisher.on(SUBMITS)] == [("a1", "a2")]
    assert [e.status for e in rig.publisher.on(CASCADE)] == ["delivered"]


async def test_a_receipt_that_the_carrier_was_told_to_send_again_is_not_looked_at() -> None:
    rig = Rig(ROW)
    rig.put("a1").cancel()
    await rig.receipts.turn(NOW_S)
    assert rig.publisher.story == []


async def test_receipts_are_worked_on_while_they_run() -> None:
    rig = Rig(ROW)
    running = asyncio.create_task(rig.receipts.run())
    await rig.put("a1")
    running.cancel()
    assert len(rig.publisher.on(CASCADE)) == 1


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
    done = rig.put("a1")
    with pytest.raises(ConnectionError):
        await rig.receipts.turn(NOW_S)
    assert not done.done()
