"""What every store of receipts and of parts does: those in memory that other tests trust, and those in PostgreSQL."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ingress.smpp.part_store import Group, PartStore, StoredPart, frame_of
from ingress.smpp.postgres_parts import PostgresParts
from ingress.smpp.postgres_receipts import PostgresReceipts
from ingress.smpp.receipt_store import Kind, ReceiptDue, ReceiptKey, ReceiptStore, ReceiptWanted, Room, Settled
from schemas.smpp.pdu import ShortMessage
from tests.fakes.fake_parts import FakeParts
from tests.fakes.fake_receipts import FakeReceipts
from tests.integration.database.conftest import dsn, migrated, pool

__all__ = ["dsn", "migrated", "pool"]  # fixtures that the ones below ask for by name

ANY = (Room("acme", "", 100), Room("other", "", 100))
GROUP = Group("acme", "Acme", "4512345678", 8, 7, 3)


@dataclass(frozen=True)
class Stores:
    receipts: ReceiptStore
    parts: PartStore


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        return Stores(FakeReceipts(), FakeParts())
    pool: Any = request.getfixturevalue("pool")
    return Stores(PostgresReceipts(pool), PostgresParts(pool))


def wanted(name: str = "m1", kind: Kind = "final", tenant: str = "acme", **changes: Any) -> ReceiptWanted:
    key = ReceiptKey(tenant, f"msg-{name}", changes.pop("part", 0), kind)
    base = ReceiptWanted(key, name, "acme", 5, 0, "Äcme\x01", 1, 1, "4512345678", False, 'quoted " \0', 1_000, 90_000)
    return replace(base, **changes)


def end(name: str = "m1", stat: str = "DELIVRD", kind: Kind = "final", at_ms: int = 2_000) -> Settled:
    return Settled("acme", f"msg-{name}", kind, stat, "000", at_ms)


async def claim(store: ReceiptStore, rooms: Sequence[Room] = ANY, now_ms: int = 5_000) -> list[ReceiptDue]:
    return await store.claim(rooms, now_ms, 1_000)


async def test_a_receipt_is_due_once_its_message_has_ended_and_gone_once_it_was_taken(stores: Stores) -> None:
    store = stores.receipts
    await store.add([wanted(), wanted()])
    await store.add([wanted(quoted="another")])
    assert await claim(store) == []
    assert await store.settle([end(), end("m2")]) == 1
    assert await store.settle([end(stat="UNDELIV")]) == 0
    due = (await claim(store))[0]
    assert (due.stat, due.err, due.done_at_ms, due.attempts) == ("DELIVRD", "000", 2_000, 1)
    assert (due.wanted.source_addr, due.wanted.receipt_id, due.wanted.submitted_at_ms) == ("Äcme\x01", "m1", 1_000)
    await store.done([due.wanted.key])
    assert await claim(store, now_ms=80_000) == []


async def test_a_lent_receipt_comes_again_when_its_lease_is_over_or_when_it_is_put_off(stores: Stores) -> None:
    store = stores.receipts
    await store.add([wanted()])
    await store.settle([end()])
    first = (await claim(store))[0]
    assert await claim(store, now_ms=5_999) == []
    assert (await claim(store, now_ms=6_000))[0].attempts == 2
    await store.retry([first.wanted.key], 6_100)
    assert await claim(store, now_ms=6_099) == []
    assert (await claim(store, now_ms=6_100))[0].attempts == 3


async def test_only_tenants_and_systems_with_room_are_lent_to_and_only_as_many_oldest_first(stores: Stores) -> None:
    store = stores.receipts
    await store.add([wanted(f"m{n}") for n in range(4)])
    await store.add([wanted("m4", system_id="second"), wanted("m0", tenant="other")])
    await store.settle([end(f"m{n}", at_ms=2_000 - n) for n in range(5)])
    assert await claim(store, [Room("other", "", 5)]) == []
    assert [due.wanted.receipt_id for due in await claim(store, [Room("acme", "second", 5)])] == ["m4"]
    assert [due.wanted.receipt_id for due in await claim(store, [Room("acme", "", 2)])] == ["m3", "m2"]
    assert len(await claim(store, [Room("acme", "acme", 5), Room("other", "", 5)])) == 2


async def test_receipts_of_failures_only_drop_successes_and_kinds_are_apart(stores: Stores) -> None:
    store = stores.receipts
    await store.add([wanted(failure_only=True), wanted("m2", failure_only=True), wanted("m2", kind="intermediate")])
    assert await store.settle([end(), end("m2", "UNDELIV")]) == 1
    assert await store.settle([end("m2", "ENROUTE", "intermediate")]) == 1
    assert {due.stat for due in await claim(store)} == {"UNDELIV", "ENROUTE"}
    assert await store.settle([end()]) == 0


async def test_every_part_of_a_message_is_settled_and_forgotten_ones_are_not(stores: Stores) -> None:
    store = stores.receipts
    await store.add([wanted(part=1), wanted(part=2), wanted(part=3)])
    await store.forget([wanted(part=2).key, wanted("m9").key])
    assert await store.settle([end()]) == 2
    assert sorted(due.wanted.key.part for due in await claim(store)) == [1, 3]


async def test_receipts_that_nobody_takes_expire(stores: Stores) -> None:
    store = stores.receipts
    await store.add([wanted(), wanted("m2")])
    await store.settle([end()])
    assert await store.expire(89_999) == 0
    assert await store.expire(90_000) == 2
    assert await claim(store) == []


async def test_empty_requests_ask_nothing(stores: Stores) -> None:
    await stores.receipts.add([])
    await stores.receipts.forget([])
    await stores.receipts.retry([], 1)
    assert await stores.receipts.settle([]) == 0
    assert await claim(stores.receipts, [Room("acme", "", 0)]) == []
    await stores.parts.drop([])


def part(seq: int, said: bytes = b"x", group: Group = GROUP, name: str = "") -> StoredPart:
    frame = frame_of(ShortMessage(source_addr="Acme", short_message=said, sequence=9))
    return StoredPart(group, seq, name or f"msg-{seq}", "acme", frame, 1_000)


async def test_parts_of_a_group_meet_under_the_first_ones_message_id_whatever_their_order(stores: Stores) -> None:
    store = stores.parts
    third = await store.add(part(3), 1_000, 9_000, 10)
    assert third is not None
    assert not third.is_whole
    await store.add(part(1), 1_000, 9_000, 10)
    await store.add(part(1, group=GROUP._replace(tenant_id="other")), 1_000, 9_000, 10)
    whole = await store.add(part(2), 1_000, 9_000, 10)
    assert whole is not None
    assert whole.is_whole
    assert [(p.seq, p.message_id, p.message.short_message) for p in whole.parts] == [
        (n, "msg-3", b"x") for n in (1, 2, 3)
    ]
    again = await store.add(part(2), 1_000, 9_000, 10)
    assert again == whole


async def test_parts_that_come_at_once_meet_in_one_of_them(stores: Stores) -> None:
    joined = await asyncio.gather(*(stores.parts.add(part(n), 1_000, 9_000, 10) for n in (1, 2, 3)))
    assert sum(found is not None and found.is_whole for found in joined) == 1


async def test_another_text_under_a_number_that_is_there_begins_anew(stores: Stores) -> None:
    store = stores.parts
    await store.add(part(1, b"old"), 1_000, 9_000, 10)
    joined = await store.add(part(1, b"new", name="msg-new"), 1_000, 9_000, 10)
    assert joined is not None
    assert [p.message.short_message for p in joined.replaced] == [b"old"]
    assert [(p.message_id, p.message.short_message) for p in joined.parts] == [("msg-new", b"new")]


async def test_a_group_whose_time_is_over_or_that_was_sent_is_not_joined(stores: Stores) -> None:
    store = stores.parts
    await store.add(part(1), 1_000, 2_000, 10)
    late = await store.add(part(2), 2_000, 9_000, 10)
    assert late is not None
    assert ([p.seq for p in late.parts], [p.seq for p in late.replaced]) == ([2], [1])
    await store.sent(GROUP, 4_000)
    known = await store.add(part(2), 3_000, 9_000, 10)
    assert known == replace(late, replaced=())
    after = await store.add(part(2), 4_000, 9_000, 10)
    assert after is not None
    assert after.replaced == ()


async def test_parts_of_a_tenant_are_limited_those_sent_not_counted(stores: Stores) -> None:
    store = stores.parts
    await store.add(part(1), 1_000, 9_000, 2)
    await store.add(part(2), 1_000, 9_000, 2)
    other = GROUP._replace(ref=8)
    assert await store.add(part(1, group=other), 1_000, 9_000, 2) is None
    assert await store.add(part(1, group=GROUP._replace(tenant_id="other")), 1_000, 9_000, 2) is not None
    await store.sent(GROUP, 9_000)
    assert await store.add(part(1, group=other), 1_000, 9_000, 2) is not None


async def test_groups_that_stay_incomplete_are_overdue_until_they_are_dropped_and_those_sent_just_go(
    stores: Stores,
) -> None:
    store = stores.parts
    await store.add(part(1), 1_000, 2_000, 10)
    await store.add(part(1, group=GROUP._replace(ref=8)), 1_000, 9_000, 10)
    await store.sent(GROUP._replace(ref=8), 2_000)
    assert await store.overdue(1_999) == []
    assert [p.group for p in await store.overdue(2_000)] == [GROUP]
    assert [p.group for p in await store.overdue(2_000)] == [GROUP]
    await store.drop([GROUP])
    assert await store.overdue(2_000) == []
