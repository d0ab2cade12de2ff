"""The parts of a session that know no network: clocks, the goodbye, what is outstanding, what was recent, the tasks."""

import asyncio

import pytest

from domain.errors import TransientError
from ingress.smpp.clocks import Clocks
from ingress.smpp.goodbye import Goodbye
from ingress.smpp.outstanding import MAX_SEQUENCE, Outstanding
from ingress.smpp.receipt_store import ReceiptDue
from ingress.smpp.recent import Recent
from ingress.smpp.registrar import Registrar
from ingress.smpp.settings import SmppServerSettings
from ingress.smpp.tasks import Tasks
from tests.fakes.fake_receipts import FakeReceipts
from tests.unit.ingress.smpp.callers import Clock
from tests.unit.ingress.smpp.test_outcome import WANTED

SETTINGS = SmppServerSettings()
DUE = ReceiptDue(WANTED, "DELIVRD", "000", 1, 1)
PAIR = ("acme", "Acme", "4512345678")


@pytest.mark.parametrize(
    ("clocks", "now_ms", "bound", "blocked_ms", "paused", "due"),
    [
        (Clocks(0, 0), 30_000, False, 0, False, "nothing"),
        (Clocks(0, 30_000), 30_001, False, 0, False, "session_init"),
        (Clocks(0, 0), 30_001, True, 0, False, "enquire"),
        (Clocks(0, 0, enquired_ms=1), 10_001, True, 0, False, "nothing"),
        (Clocks(0, 0, enquired_ms=1), 10_002, True, 0, False, "half_open"),
        (Clocks(0, 0, partial_since_ms=1), 10_002, True, 0, False, "partial_pdu"),
        (Clocks(0, 0), 120_001, True, 0, False, "idle"),
        (Clocks(0, 0), 120_001, True, 0, True, "nothing"),
        (Clocks(0, 0), 120_001, True, 1, True, "write_stall"),
    ],
)
def test_what_is_overdue_is_named(
    clocks: Clocks, now_ms: int, bound: bool, blocked_ms: int, paused: bool, due: str
) -> None:
    assert clocks.due(now_ms, SETTINGS, bound=bound, blocked_since_ms=blocked_ms, paused=paused) == due


def test_a_partial_pdu_is_as_old_as_its_first_piece() -> None:
    clocks = Clocks(0, 0)
    clocks.keep_partial(5, pending=True, progress=False)
    clocks.keep_partial(9, pending=True, progress=False)
    assert clocks.partial_since_ms == 5
    clocks.keep_partial(10, pending=True, progress=True)
    assert clocks.partial_since_ms == 10
    clocks.keep_partial(11, pending=False, progress=True)
    assert clocks.partial_since_ms == 0


def test_a_goodbye_waits_for_what_is_at_work_but_not_for_ever() -> None:
    theirs = Goodbye(100, 7)
    assert [theirs.move(now, busy, 50) for now, busy in ((0, True), (99, True), (100, True))] == [
        "wait",
        "wait",
        "answer",
    ]
    assert Goodbye(100, 7).move(0, busy=False, answer_ms=50) == "answer"
    ours = Goodbye(100)
    assert [ours.move(now, False, 50) for now in (10, 11, 59, 60)] == ["ask", "wait", "wait", "close"]


def test_receipts_outstanding_have_numbers_of_their_own_and_free_their_places() -> None:
    outstanding = Outstanding(2, 100)
    first, second = outstanding.take(DUE, 0), outstanding.take(DUE, 50)
    assert (first, second, outstanding.room) == (1, 2, 0)
    assert outstanding.answered(first) == DUE
    assert outstanding.answered(first) is None
    assert outstanding.overdue(149) == []
    assert outstanding.overdue(150) == [DUE]
    assert outstanding.room == 2
    outstanding._sequence = MAX_SEQUENCE - 1
    assert [outstanding.take(DUE, 0), outstanding.next_sequence()] == [MAX_SEQUENCE, 1]
    assert outstanding.clear() == [DUE]


def test_recent_messages_are_found_by_their_addresses_and_service_type_for_a_day() -> None:
    clock = Clock()
    recent = Recent(clock)
    for number, service in enumerate(("A", "B", "A")):
        recent.add(PAIR, service, f"m{number}")
    assert recent.newest(PAIR, "A") == "m2"
    assert recent.newest(PAIR, "") is None
    assert recent.all(PAIR, "B") == ("m1",)
    assert recent.all(PAIR, "") == ("m0", "m1", "m2")
    clock.now_ms = 24 * 3600 * 1000
    assert recent.all(PAIR, "") == ()


async def test_receipts_that_come_together_share_a_statement_and_learn_that_the_store_is_away() -> None:
    store, tasks = FakeReceipts(), Tasks()
    registrar = Registrar(store, tasks)
    await asyncio.gather(*(registrar.add([WANTED]) for _ in range(50)))
    assert store.adds < 5
    registrar.forget([WANTED])
    await tasks.finish(1_000)
    assert not store.waiting
    store.error = TransientError("away", 1)
    with pytest.raises(TransientError):
        await registrar.add([WANTED])
    registrar.forget([WANTED])
    await tasks.finish(1_000)
    assert not tasks.failure.done()


async def test_the_first_failure_of_a_task_is_told_and_the_rest_is_cancelled_in_the_end() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def stay() -> None:
        await asyncio.Event().wait()

    tasks = Tasks()
    tasks.spawn(fail())
    staying = tasks.spawn(stay())
    assert isinstance(await tasks.failure, ZeroDivisionError)
    assert len(tasks) == 1
    await tasks.finish(0)
    assert staying.cancelled()
