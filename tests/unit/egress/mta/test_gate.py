"""The door: few inside, turns by tenant, and no place lost by those who give up."""

import asyncio

from egress.mta.gate import Gate
from tests.unit.egress.mta.turns import turn


async def entered(gate: Gate, tenant: str, order: list[str]) -> None:
    await gate.enter(tenant)
    order.append(tenant)


async def test_a_tenant_with_few_mails_does_not_wait_behind_one_with_many() -> None:
    gate, order = Gate(1), list[str]()
    await gate.enter("first")
    waiting = [asyncio.create_task(entered(gate, tenant, order)) for tenant in ("big", "big", "big", "small", "big")]
    await turn()

    for _ in waiting:
        gate.leave()
        await turn()

    assert order == ["big", "small", "big", "big", "big"]
    assert (gate.inside, gate.waiting) == (1, 0)


async def test_who_gives_up_leaves_no_hole_and_keeps_no_place() -> None:
    gate, order = Gate(1), list[str]()
    await gate.enter("first")
    gone, granted, last = (asyncio.create_task(entered(gate, name, order)) for name in ("gone", "granted", "last"))
    await turn()

    gone.cancel()
    await turn()
    gate.leave()  # lets "granted" in, which is cancelled before it runs
    granted.cancel()
    await turn()
    await turn()

    assert order == ["last"]
    assert last.done()
    assert (gate.inside, gate.waiting) == (1, 0)


async def test_a_limit_can_rise_and_fall() -> None:
    gate, order = Gate(1), list[str]()
    tasks = [asyncio.create_task(entered(gate, "acme", order)) for _ in range(4)]
    await turn()
    assert len(order) == 1

    gate.set_limit(3)
    await turn()
    assert len(order) == 3

    gate.set_limit(1)
    gate.leave()
    gate.leave()
    await turn()
    assert len(order) == 3
    gate.leave()
    await asyncio.gather(*tasks)
    assert gate.inside == 1
