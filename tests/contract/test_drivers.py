"""What every driver promises, held to one suite: the memory driver and Kafka."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.billing.money import AccountAsked, AccountTold, Grant, LedgerEntry
from schemas.rows import DeadRecord
from schemas.topics import BILLING, DEADLETTERS, FIXED, LEDGER, VERDICTS
from streams.admin import ensure_topics
from tests.conftest import Stack
from tests.contract.rigs import PARTITIONS, POISON_GRANT, KafkaRig, MemoryRig, Rig


@pytest.fixture(params=["memory", "kafka"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "memory":
        yield MemoryRig()
        return
    stack: Stack = request.getfixturevalue("stack")
    ensure_topics(stack.bootstrap, FIXED, PARTITIONS)
    kafka = KafkaRig(stack.bootstrap, tmp_path)
    yield kafka
    kafka.close()


@pytest.fixture
def tenants(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Eight tenants of this test alone, over all partitions."""
    return tuple(f"{request.node.name}-{n}" for n in range(8))


def grant(rig: Rig, tenant: str, number: int, amount: int = 10) -> None:
    rig.put(BILLING, tenant, Grant(tenant, f"g-{number}-{tenant}", amount, 1))


def entries(rig: Rig, tenant: str) -> list[LedgerEntry]:
    return [e for e in rig.read(LEDGER) if e.tenant_id == tenant]


def everybody_has(rig: Rig, tenants: tuple[str, ...], count: int) -> Callable[[], bool]:
    return lambda: all(len({e.entry_id for e in entries(rig, t)}) == count for t in tenants)


def balances(rig: Rig, tenants: tuple[str, ...]) -> list[int]:
    for tenant in tenants:
        rig.put(BILLING, tenant, AccountAsked(tenant, f"ask-{tenant}", 0))
    told: dict[str, int] = {}

    def answered() -> bool:
        answers = [a for a in rig.read(VERDICTS) if isinstance(a, AccountTold)]
        told.update({a.account.tenant_id: a.account.available_micros for a in answers})
        return set(tenants) <= set(told)

    rig.until(answered)
    return [told[t] for t in tenants]


def test_records_of_one_key_are_done_in_their_order(rig: Rig, tenants: tuple[str, ...]) -> None:
    rig.start()
    for number in range(50):
        grant(rig, tenants[0], number)
    rig.until(everybody_has(rig, tenants[:1], 50))
    assert [e.seq for e in entries(rig, tenants[0])] == list(range(1, 51))


def test_after_a_kill_everything_is_done_and_counted_once(rig: Rig, tenants: tuple[str, ...]) -> None:
    rig.start()
    for number in range(20):
        for tenant in tenants:
            grant(rig, tenant, number)
    rig.kill()
    rig.start()
    rig.until(everybody_has(rig, tenants, 20))
    assert balances(rig, tenants) == [200] * len(tenants)


def test_a_table_comes_back_from_its_changelog_on_an_empty_disk(rig: Rig, tenants: tuple[str, ...]) -> None:
    rig.start()
    for tenant in tenants:
        grant(rig, tenant, 1, 70)
    rig.until(everybody_has(rig, tenants, 1))
    rig.stop()
    rig.wipe()
    rig.start()
    assert balances(rig, tenants) == [70] * len(tenants)


def test_partitions_move_to_a_second_process_and_back(rig: Rig, tenants: tuple[str, ...]) -> None:
    rig.start("a")
    for tenant in tenants:
        grant(rig, tenant, 1)
    rig.until(everybody_has(rig, tenants, 1))
    rig.start("b")
    for tenant in tenants:
        grant(rig, tenant, 2)
    rig.until(everybody_has(rig, tenants, 2))
    rig.stop("a")
    for tenant in tenants:
        grant(rig, tenant, 3)
    rig.until(everybody_has(rig, tenants, 3))
    assert balances(rig, tenants) == [30] * len(tenants)


def test_a_record_that_nobody_can_read_goes_to_the_dead_letters_with_its_reason(
    rig: Rig, tenants: tuple[str, ...]
) -> None:
    rig.start()
    rig.put_raw(BILLING, tenants[0], b"\x00\x00\x00\xff\xffpoison of " + tenants[0].encode())
    grant(rig, tenants[0], 1)
    rig.until(everybody_has(rig, tenants[:1], 1))
    dead = [d for d in rig.read(DEADLETTERS) if tenants[0].encode() in d.value]
    assert isinstance(dead[0], DeadRecord)
    assert (dead[0].topic, dead[0].key) == (BILLING.name, tenants[0].encode())
    assert "65535" in dead[0].reason


def test_an_exception_ends_the_process_and_loses_nothing(rig: Rig, tenants: tuple[str, ...]) -> None:
    rig.start(faulty=True)
    grant(rig, tenants[0], 1)
    rig.put(BILLING, tenants[0], Grant(tenants[0], f"{POISON_GRANT}-{tenants[0]}", 10, 1))
    grant(rig, tenants[0], 2)
    assert rig.ends_badly()
    rig.start()
    rig.until(everybody_has(rig, tenants[:1], 3))
    assert balances(rig, tenants[:1]) == [30]


def test_a_repeated_movement_counts_once(rig: Rig, tenants: tuple[str, ...]) -> None:
    rig.start()
    for _ in range(3):
        grant(rig, tenants[0], 1, 5)
    assert balances(rig, tenants[:1]) == [5]
    assert len(entries(rig, tenants[0])) == 1
