"""The checkers of the simulation catch what they are there for: each promise is broken by hand, once."""

from dataclasses import replace
from typing import Any

import pytest

from domain.billing.money import LedgerEntry
from domain.cascade.rule import Step
from schemas.topics import AUDIT, LEDGER, STATUS, Topic
from tests.sim.world import CODEC, Behaviour, World


@pytest.fixture
def world() -> World:
    """Three messages that ended well, one that reached nobody."""
    ends = {"msg-000004": Behaviour(fail="5.1.1")}
    found = World(behave=lambda due: ends.get(due.message_id, Behaviour()))
    for _ in range(4):
        found.submit(Step("sms", 60_000))
    found.advance(600_000)
    found.check()
    return found


def entries(world: World, topic: Topic) -> list[tuple[list[Any], int, Any]]:
    """Every record of a topic: its log, its place there, its value."""
    return [
        (log, place, CODEC.decode(octets))
        for (name, _), log in world.broker.logs.items()
        if name == topic.name
        for place, (_, octets, _) in enumerate(log)
        if octets is not None
    ]


def rewrite(log: list[Any], place: int, value: Any) -> None:
    log[place] = (log[place][0], CODEC.encode(value), log[place][2])


def is_caught(world: World) -> bool:
    try:
        world.check()
    except AssertionError:
        return True
    return False


def test_a_lost_final_state_is_caught(world: World) -> None:
    log, place, _ = next(e for e in entries(world, STATUS) if e[2].final)
    del log[place]
    assert is_caught(world)


def test_a_second_final_state_is_caught(world: World) -> None:
    _, _, final = next(e for e in entries(world, STATUS) if e[2].final)
    row = CODEC.decode(final.cascade)
    other = "exhausted" if row.state == "delivered" else "delivered"
    octets = CODEC.encode(replace(row, state=other))
    world.put(STATUS, final.message_id, replace(final, revision=final.revision + 1, event=other, cascade=octets))
    assert is_caught(world)


def test_a_state_that_was_kept_but_not_told_is_caught(world: World) -> None:
    newest = max((e for e in entries(world, STATUS) if e[2].message_id == "msg-000001"), key=lambda e: e[2].revision)
    row = CODEC.decode(newest[2].cascade)
    rewrite(newest[0], newest[1], replace(newest[2], cascade=CODEC.encode(replace(row, reference="another"))))
    assert is_caught(world)


@pytest.mark.parametrize("kind", ["settle", "release"])
def test_a_second_settlement_is_caught(world: World, kind: str) -> None:
    entry = next(e[2] for e in entries(world, LEDGER) if e[2].kind == kind)
    assert isinstance(entry, LedgerEntry)
    world.put(LEDGER, entry.tenant_id, replace(entry, entry_id="resolve:again", seq=entry.seq + 100))
    assert is_caught(world)


def test_a_movement_without_an_entry_is_caught(world: World) -> None:
    log, place, _ = next(e for e in entries(world, LEDGER) if e[2].kind == "reserve")
    del log[place]
    assert is_caught(world)


def test_a_number_that_two_entries_have_is_caught(world: World) -> None:
    reserves = [e for e in entries(world, LEDGER) if e[2].kind == "reserve"]
    rewrite(reserves[1][0], reserves[1][1], replace(reserves[1][2], seq=reserves[0][2].seq))
    assert is_caught(world)


def test_an_attempt_that_a_carrier_took_twice_is_caught(world: World) -> None:
    world.book["msg-000001", 1] += 1
    assert is_caught(world)


@pytest.mark.parametrize("change", ["rewritten", "removed", "key"])
def test_a_broken_chain_is_caught(world: World, change: str) -> None:
    log, place, entry = entries(world, AUDIT)[1]
    if change == "removed":
        del log[place]
    elif change == "rewritten":
        rewrite(log, place, replace(entry, recipient_hash="0" * 32))
    else:
        rewrite(log, place, replace(entry, key_id="k-other"))
    assert is_caught(world)
