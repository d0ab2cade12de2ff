"""All promises, in the order in which they are looked at."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

from streams.sim.promises.answers import answers, keys, refusals
from streams.sim.promises.broken import Broken, BrokenPromiseError
from streams.sim.promises.ends import dead_letters, ends, forgotten, in_time, notices, unreadable
from streams.sim.promises.money import accounts, charges, ledger
from streams.sim.promises.seen import Seen, look
from streams.sim.promises.sends import chains, sends
from streams.sim.promises.story import stories
from streams.sim.world import World

PROMISES: Final[tuple[Callable[[Seen], Iterator[Broken]], ...]] = (
    answers, keys, refusals, stories, ends, in_time, dead_letters, notices, unreadable, sends, chains, accounts, ledger,
    charges, forgotten,
)  # fmt: skip


def broken(seen: Seen) -> Iterator[Broken]:
    """Everything that does not hold in a world that has come to its end."""
    return chain.from_iterable(promise(seen) for promise in PROMISES)


def check(world: World) -> None:
    """Raise BrokenPromiseError for the first promise that does not hold."""
    for one in broken(look(world)):
        raise BrokenPromiseError(one)
