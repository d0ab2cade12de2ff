"""One campaign: start the stack, load it, strike, let everything end, ask everybody, check."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import aiohttp
from asyncpg import InterfaceError, PostgresError
from confluent_kafka import KafkaException

from domain.errors import TransientError
from streams.crash.books import Books
from streams.crash.checks import Check, check
from streams.crash.gather import Sources, gather
from streams.crash.history import History
from streams.crash.keep import keep_course, keep_wrong
from streams.crash.load import Load
from streams.crash.machine import Machine, Setting, running
from streams.crash.plan import Blow
from streams.crash.rest import Rest
from streams.crash.sink import sink
from streams.crash.smpp import Esme
from streams.crash.smtp import Mails
from streams.crash.strike import Striker, Struck
from streams.crash.tail import Tail
from streams.demo.protocols import Account

WARM_UP_S: Final = 2.0
COOL_DOWN_S: Final = 2.0
SETTLE_WITHIN_S: Final = 180.0
"""A callback or a receipt that was under way when a process died is due again after a minute."""
LATE_RECEIPTS_S: Final = 5.0
"""The simulated carrier's late receipts come after four: they change a message that has ended, and the archive follows."""
POLL_S: Final = 0.5
MAX_CONNECTIONS: Final = 100
MAIL_THREADS: Final = 64

Say = Callable[[str], None]


SILENT: Final = (KafkaException, PostgresError, InterfaceError, OSError, TimeoutError, TransientError)
"""What becomes of questions when somebody is away; the REST client itself asks again until its time is over."""


class UncheckedError(Exception):
    """Nothing can be checked, for the product does not answer."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a campaign is: `minutes` bounds the blows, `settle_s` the wait for the last end. `state` is the stack's own."""

    state: Path
    run_id: str
    seed: int
    blows: Sequence[Blow]
    minutes: float
    rate_per_s: float
    evidence: Path
    kafka: str = ""
    postgres: str = field(default="", repr=False)
    fault: str = ""
    settle_s: float = SETTLE_WITHIN_S


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; `evidence` is the folder with what was kept of a failure, None without one."""

    struck: tuple[Struck, ...]
    checks: tuple[Check, ...]
    books: Books
    repeats: int
    took_s: float
    evidence: Path | None

    @property
    def ok(self) -> bool:
        """Whether every checker is content."""
        return all(one.ok for one in self.checks)


async def campaign(wanted: Wanted, say: Say) -> Outcome:
    """Run it; the stack is gone when this returns. From the main thread only: the children are tied to it.

    Raises:
        LocalStackError: the stack did not come up.
        UncheckedError: the product did not answer at the end.
    """
    began, history = time.monotonic(), History()
    async with sink(history) as port:
        setting = Setting(wanted.state, wanted.run_id, port, wanted.kafka, wanted.postgres, wanted.fault)
        with running(setting, say) as machine:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS)) as session:
                rest = Rest(
                    session, lambda: f"http://{machine.address('http')}", _keys(machine, wanted.run_id), history
                )
                tail = Tail(wanted.state / "logs", wanted.state / "crash-logs")
                struck = await _attack(wanted, machine, rest, tail, say)
                say("everybody is asked")
                document = machine.document
                tenants = tuple(_tenant(machine, place, wanted.run_id)["tenant_id"] for place in "abc")
                sources = Sources(document, tenants, rest, history, f"crash-{wanted.run_id}-", document["postgres"])
                books = await _asked(wanted, machine, sources, struck, tail)
            checks, kept = tuple(check(books)), None
            if not all(one.ok for one in checks):
                kept = keep_course(wanted.evidence, wanted.seed, struck, machine, tail.copies)
                keep_wrong(kept, checks, books, sources.bootstrap, tail.copies)
    return Outcome(tuple(struck), checks, books, history.repeats, time.monotonic() - began, kept)


async def _asked(wanted: Wanted, machine: Machine, sources: Sources, struck: Sequence[Struck], tail: Tail) -> Books:
    """The books; what was done is kept when they cannot be had, for that is a failure, too."""
    broken: Exception | None = None
    try:
        return await gather(sources, struck, tail.unknown)
    except* SILENT as group:
        broken = group
    kept = keep_course(wanted.evidence, wanted.seed, struck, machine, tail.copies)
    raise UncheckedError(f"the product did not answer at the end; what was kept is in {kept}") from broken


async def _attack(wanted: Wanted, machine: Machine, rest: Rest, tail: Tail, say: Say) -> list[Struck]:
    """All blows under load; when this returns everything has ended, or had its time to."""
    history = rest.history
    esme = Esme(lambda: _account(machine, wanted.run_id, "smpp", "system_id"), history)
    striker = Striker(machine, rest, wanted.run_id)
    async with asyncio.TaskGroup() as background:
        lasting = [background.create_task(esme.run()), background.create_task(tail.run())]
        over = asyncio.Event()
        with ThreadPoolExecutor(MAIL_THREADS) as threads:
            mails = Mails(lambda: _account(machine, wanted.run_id, "smtp", "user"), history, threads)
            load = Load(wanted.run_id, wanted.rate_per_s, rest, esme, mails, history)
            async with asyncio.TaskGroup() as foreground:
                foreground.create_task(load.run(over.is_set))
                struck = await _strike(wanted, striker, say)
                over.set()
        say(f"{len(history.told)} messages handed in, {len(history.ids)} accepted; they come to their ends")
        await _settle(history, wanted.settle_s)
        for task in lasting:
            task.cancel()
    tail.look()
    return struck


async def _strike(wanted: Wanted, striker: Striker, say: Say) -> list[Struck]:
    """The blows in turn, until they are done, the time is over, or the product did not come back from one."""
    struck: list[Struck] = []
    deadline = time.monotonic() + wanted.minutes * 60
    await asyncio.sleep(WARM_UP_S)
    for number, blow in enumerate(wanted.blows, 1):
        if time.monotonic() >= deadline:
            say(f"{wanted.minutes:g} minutes are over")
            break
        await asyncio.sleep(blow.pause_ms / 1000)
        done = await striker.strike(blow, number)
        struck.append(done)
        how = "did not come back" if done.recovered_ms is None else f"back after {done.recovered_ms / 1000:.2f} s"
        say(f"{number}/{len(wanted.blows)}  {blow.name:34} {how}  ({len(striker.rest.history.told)} messages so far)")
        if done.recovered_ms is None:
            break
    await asyncio.sleep(COOL_DOWN_S)
    return struck


async def _settle(history: History, within_s: float) -> None:
    """Return when every accepted message has its callback, those of SMPP their receipts, or when the time is up."""
    deadline = time.monotonic() + within_s
    while history.unheard() and time.monotonic() < deadline:  # noqa: ASYNC110 - clients of three protocols fill it
        await asyncio.sleep(POLL_S)
    await asyncio.sleep(LATE_RECEIPTS_S)


def _tenant(machine: Machine, place: str, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(t for t in machine.document["tenants"] if t["name"] == f"crash {place} {run_id}")
    return found


def _keys(machine: Machine, run_id: str) -> tuple[str, ...]:
    return tuple(str(_tenant(machine, place, run_id)["api_key"]) for place in "abc")


def _account(machine: Machine, run_id: str, protocol: Literal["smpp", "smtp"], user: str) -> Account:
    """The first tenant's login, and where the gateway is now."""
    host, _, port = machine.address(protocol).rpartition(":")
    login = _tenant(machine, "a", run_id)[protocol]
    return Account(host, int(port), str(login[user]), str(login["password"]))
