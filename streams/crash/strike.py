"""Carries a blow out, and measures how long the product takes to bring a message to its end again."""

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from streams.crash.items import Item, probe
from streams.crash.machine import Machine, Second
from streams.crash.plan import Blow
from streams.crash.rest import Rest
from streams.demo.api import FINAL, state_of

RECOVERED_WITHIN_S: Final = 120.0
JOINED_WITHIN_S: Final = 40.0
LEAVE_WITHIN_MS: Final = 10_000
POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Struck:
    """A blow that was carried out: its first and last signal (ms since 1970), its pids, and the time to recover in ms.

    `recovered_ms` counts from the last signal and is None when the product did not come back in time.
    """

    blow: Blow
    began_ms: int
    last_ms: int
    pids: tuple[int, ...]
    recovered_ms: int | None

    @property
    def ended_ms(self) -> int:
        """When its effects on what is under way were over, but for what waits."""
        return self.last_ms + (self.recovered_ms if self.recovered_ms is not None else round(RECOVERED_WITHIN_S * 1000))


@dataclass(frozen=True, slots=True)
class Striker:
    """Strikes one machine."""

    machine: Machine
    rest: Rest
    run_id: str

    async def strike(self, blow: Blow, number: int) -> Struck:
        """Carry the blow out and wait until the product works again, at most RECOVERED_WITHIN_S."""
        began_ms = now_ms()
        pids = await self._carry_out(blow)
        last_ms, last = now_ms(), time.monotonic()
        message = probe(self.run_id, number, by_mail="sandbox-mx" in blow.victims)
        recovered: int | None = None
        try:
            async with asyncio.timeout(RECOVERED_WITHIN_S):
                await self._until_works(blow, pids, message)
            recovered = round((time.monotonic() - last) * 1000)
        except TimeoutError:
            pass
        return Struck(blow, began_ms, last_ms, pids, recovered)

    async def _carry_out(self, blow: Blow) -> tuple[int, ...]:
        victim = blow.victims[0]
        match blow.kind:
            case "kill" | "two at once":
                return tuple(self.machine.send(one, signal.SIGKILL) for one in blow.victims)
            case "again":
                first = self.machine.send(victim, signal.SIGKILL)
                await _until(lambda: self.machine.pid(victim) not in (0, first), RECOVERED_WITHIN_S)
                await asyncio.sleep(blow.after_ms / 1000)
                return (first, self.machine.send(victim, signal.SIGKILL))
            case "stop":
                return (await self._halt(victim, blow.after_ms),)
            case "forget":
                return (await asyncio.to_thread(self.machine.kill_and_forget, victim),)
            case "join":
                second = await self._joined()
                pid = second.child.pid or 0
                await _leave(second, killed=blow.leaving == "SIGKILL")
                return (pid,)
            case "zombie":
                second = await self._joined()
                try:
                    return (await self._halt(victim, blow.after_ms), second.child.pid or 0)
                finally:
                    await _leave(second, killed=False)

    async def _halt(self, victim: str, for_ms: int) -> int:
        pid = self.machine.send(victim, signal.SIGSTOP)
        try:
            await asyncio.sleep(for_ms / 1000)
        finally:
            self.machine.send(victim, signal.SIGCONT)
        return pid

    async def _joined(self) -> Second:
        """The second pipeline once it owns a partition, or when it did not get one in time."""
        second = self.machine.second_pipeline()
        second.child.start()
        await _until(lambda: second.joined, JOINED_WITHIN_S)
        return second

    async def _until_works(self, blow: Blow, pids: tuple[int, ...], message: Item) -> None:
        """The probe is final, and each process that was killed has another in its place that answers."""
        self.rest.history.begin(message)
        message_id = await self.rest.send(message)
        while True:
            answer = await self.rest.insist(message.tenant, "GET", f"/v1/messages/{message_id}")
            if state_of(answer.body) in FINAL:
                break
            await asyncio.sleep(POLL_S)
        gone = pids if blow.kills else ()
        await _until(lambda: all(self._is_back(one, gone) for one in blow.victims), RECOVERED_WITHIN_S)

    def _is_back(self, name: str, gone: tuple[int, ...]) -> bool:
        return self.machine.pid(name) not in (0, *gone) and self.machine.ready(name)


async def _leave(second: Second, *, killed: bool) -> None:
    if killed:
        second.child.kill()
    await asyncio.to_thread(second.child.stop, LEAVE_WITHIN_MS)


async def _until(true: Callable[[], bool], within_s: float) -> None:
    """Return when it is true, or when the time is up."""
    deadline = time.monotonic() + within_s
    while not true() and time.monotonic() < deadline:  # noqa: ASYNC110 - processes tell it in files
        await asyncio.sleep(POLL_S)


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000
