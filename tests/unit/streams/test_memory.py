"""The memory driver's broker and outlet: the order within a partition, the moments of a fault, answers that get lost."""

import random

import pytest

from schemas.topics import BILLING, CONFIG
from streams.memory import Broker, CrashError, LostError, MemoryOutlet, Moment


def outlet(broker: Broker, seed: int = 0) -> MemoryOutlet:
    return MemoryOutlet(broker, random.Random(seed))  # noqa: S311 - a seed must give the same run again


def test_records_of_a_partition_land_in_their_order_and_those_of_two_in_any() -> None:
    orders = set()
    for seed in range(20):
        broker = Broker()
        out = outlet(broker, seed)
        for n in range(4):
            out.send("a", b"k", str(n).encode(), n % 2)
        out.flush()
        assert [[r.value for r in broker.logs["a", p]] for p in (0, 1)] == [[b"0", b"2"], [b"1", b"3"]]
        orders.add(tuple(sorted((r.number, r.value) for log in broker.logs.values() for r in log)))
    assert len(orders) > 1


def test_a_crash_leaves_the_beginning_of_each_partition() -> None:
    broker, moments = Broker(), iter(range(100))

    def fault(moment: Moment) -> None:
        assert moment == "landing"
        if next(moments) == 3:
            raise CrashError

    out = outlet(broker)
    out.fault = fault
    for n in range(6):
        out.send("a", b"k", str(n).encode(), n % 2)
    with pytest.raises(CrashError):
        out.flush()
    assert broker.landed == 3
    for number, whole in ((0, [b"0", b"2", b"4"]), (1, [b"1", b"3", b"5"])):
        landed = [r.value for r in broker.logs.get(("a", number), [])]
        assert landed == whole[: len(landed)]


def test_a_lost_answer_is_not_noticed() -> None:
    broker = Broker()
    out = outlet(broker)

    def fault(_: Moment) -> None:
        raise LostError

    out.fault = fault
    out.answer("a", b"k", b"v", 0)
    assert broker.landed == 0


def test_a_key_has_its_partition_and_configuration_has_one() -> None:
    broker = Broker(partitions=8)
    places = {broker.place(BILLING.name, f"k{n}".encode(), None) for n in range(50)}
    assert len(places) == 8
    assert {broker.place(CONFIG.name, f"k{n}".encode(), None) for n in range(50)} == {(CONFIG.name, 0)}
