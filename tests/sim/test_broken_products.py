"""A product with one thing wrong is caught within a few seeds: the simulation has teeth."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from agents.account import KeepAccount
from agents.cascade.follow import Follow
from agents.context import Context
from domain.billing.money import Settle
from domain.evolve import evolve
from schemas.topics import BILLING, CASCADE, DLQ, LEDGER, VERDICTS, WEBHOOKS
from streams.memory import MemoryDriver
from streams.node import DurableFirst, Node
from streams.sim.examine import examine
from streams.sim.processes import Product
from streams.topology import TOPOLOGY
from tables.catalogue import DECISIONS, RESOLUTIONS
from tables.store import MemoryStore, Write

FEW = 100
"""Seeds within which each must be caught."""


class ForgetfulStore(MemoryStore):
    """A disk that drops every ninth write and says that it was kept."""

    def __init__(self) -> None:
        super().__init__()
        self._writes = 0

    def write(self, writes: Sequence[Write]) -> None:
        self._writes += 1
        if self._writes % 9:
            super().write(writes)


class HastyDriver(MemoryDriver):
    """A driver that commits what it has read before the work is done."""

    def step(self, now_ms: int) -> int:
        self.broker.committed.update({place: len(self.broker.logs.get(place, ())) for place in self._read})
        return super().step(now_ms)


class AmnesiacDriver(MemoryDriver):
    """A driver that takes a partition up without reading its changelogs."""

    def adopt(self, number: int, store: Any) -> None:
        store.set_checkpoint({topic: len(log) for (topic, place), log in self.broker.logs.items() if place == number})
        super().adopt(number, store)


class Altered:
    """A context of an agent in which something is not as it should be: tables that are empty, topics that hear twice or never."""

    def __init__(
        self, ctx: Context, empty: Sequence[str] = (), twice: Sequence[str] = (), never: Sequence[str] = ()
    ) -> None:
        self._ctx, self._empty, self._twice, self._never = ctx, empty, twice, never

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    def get(self, table: Any, key: str) -> Any:
        return None if table.name in self._empty else self._ctx.get(table, key)

    def emit(self, to: Any, key: str, value: Any, partition: int | None = None) -> None:
        if to.name in self._never:
            return
        self._ctx.emit(to, key, value, partition=partition)
        if to.name in self._twice:
            again = evolve(value, message_id=f"{value.message_id}-again") if isinstance(value, Settle) else value
            self._ctx.emit(to, key, again, partition=partition)


class Careless:
    """An agent in a world that is not as it should be."""

    def __init__(self, agent: Any, **wrong: Sequence[str]) -> None:
        self._agent, self._wrong = agent, wrong

    def handle(self, value: Any, ctx: Any) -> None:
        self._agent.handle(value, Altered(ctx, **self._wrong))


class FreeOfCharge:
    """A keeper of accounts that charges for what was not delivered."""

    def handle(self, value: Any, ctx: Context) -> None:
        KeepAccount().handle(evolve(value, charge_micros=1) if isinstance(value, Settle) else value, ctx)


def with_node(name: str, **changes: Any) -> Product:
    """The product with one node changed."""
    return Product(nodes=tuple(replace(n, **changes) if n.name == name else n for n in TOPOLOGY))


def careless(name: str, **wrong: Sequence[str]) -> Product:
    """The product with one agent made careless."""
    node = next(n for n in TOPOLOGY if n.name == name)
    return with_node(name, make=lambda parts: Careless(node.make(parts), **wrong))


def ordered(group: str, first: DurableFirst) -> Product:
    """The product with the order of durability of one group turned round."""
    nodes: list[Node] = [replace(n, durable_first=first) if n.group == group else n for n in TOPOLOGY]
    return Product(nodes=tuple(nodes))


@pytest.mark.parametrize(
    "product",
    [
        pytest.param(Product(disk=ForgetfulStore), id="a store that drops a write"),
        pytest.param(Product(driver=HastyDriver), id="a driver that commits before the work"),
        pytest.param(Product(driver=AmnesiacDriver), id="a driver that does not restore"),
        pytest.param(careless("follow", twice=(BILLING.name,)), id="a follower that settles twice"),
        pytest.param(careless("follow", never=(DLQ.name,)), id="a follower without dead letters"),
        pytest.param(careless("keep_account", empty=(RESOLUTIONS.name,)), id="an account that forgets its resolutions"),
        pytest.param(careless("admit", empty=(DECISIONS.name,)), id="an admission that forgets its answers"),
        pytest.param(careless("answer", never=(VERDICTS.name,)), id="an admission that does not answer"),
        pytest.param(careless("answer", never=(LEDGER.name,)), id="a reservation that is not in the ledger"),
        pytest.param(careless("answer", never=(CASCADE.name,)), id="an accepted message that goes nowhere"),
        pytest.param(careless("announce", never=(WEBHOOKS.name,)), id="a callback that is not made"),
        pytest.param(with_node("keep_account", make=lambda _: FreeOfCharge()), id="a charge for nothing"),
        pytest.param(with_node("follow", make=lambda _: Follow(10**12)), id="a final state that is never forgotten"),
        pytest.param(ordered("cascade", "state"), id="a cascade that keeps its state before it tells"),
        pytest.param(ordered("admission", "outputs"), id="an admission that tells before it keeps"),
    ],
)
def test_it_is_caught_within_a_few_seeds(product: Product) -> None:
    assert any(examine(seed, product).failures for seed in range(FEW))
