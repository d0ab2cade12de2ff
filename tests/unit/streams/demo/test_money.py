"""The money at the end: bill, account and ledger have to agree."""

from dataclasses import replace
from pathlib import Path

from egress.archive.ledger import LedgerCheck
from streams.demo.api import Answer
from streams.demo.expectations import Checks
from streams.demo.money import balance, money, sums
from streams.demo.world import MAIN, SLOW, SMALL, World
from tests.unit.streams.demo.scripted import NOT_FOUND, FakeApi, FakeEvidence, world_of

LEDGER = LedgerCheck("", 3, 70, 0, 30, 100, 0, 0)
TOLD = {"available_micros": 70, "reserved_micros": 0, "spent_micros": 30, "granted_micros": 100, "currency": "EUR"}


def world_with(folder: Path, ledger: LedgerCheck, charged: int) -> World:
    ledgers = {f"id of {name}": ledger for name in (MAIN, SLOW, SMALL)}
    world = world_of(folder, lambda *_: Answer(200, {"balance": TOLD}), FakeEvidence(ledgers=ledgers))
    world.charged.update(dict.fromkeys((MAIN, SLOW, SMALL), charged))
    return world


async def test_bill_account_and_ledger_that_agree_meet_every_expectation(tmp_path: Path) -> None:
    checks = Checks()
    await money(world_with(tmp_path, LEDGER, 30), checks)
    assert [one.what for one in checks.expectations if not one.ok] == []


async def test_an_unbilled_charge_and_a_ledger_with_a_gap_fail_for_each_tenant(tmp_path: Path) -> None:
    checks = Checks()
    await money(world_with(tmp_path, replace(LEDGER, missing=1, spent_micros=29), 29), checks)
    assert [one.what for one in checks.expectations if not one.ok][:3] == [
        "Demo spent what its messages cost",
        "the ledger of Demo is complete and sound",
        "the ledger of Demo sums to the account",
    ]


async def test_an_account_that_is_not_told_and_a_ledger_that_is_not_there_are_empty() -> None:
    assert await balance(FakeApi(lambda *_: NOT_FOUND)) == {}
    assert sums(None) == {}
