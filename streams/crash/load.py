"""Hands the messages of a campaign in at a bounded rate by all ways at once, until it is told to stop."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from streams.crash.history import History
from streams.crash.items import WAYS, Item, item
from streams.crash.rest import Rest
from streams.crash.smpp import Esme
from streams.crash.smtp import Mails

MAX_OPEN: Final = 300
"""Requests under way; beyond it nothing new begins: a gateway that is away gets no heap of requests when it is back."""
ANSWERED_WITHIN_S: Final = 240.0
TWICE_AFTER_S: Final = 1.5
LATER: Final = timedelta(hours=2)


@dataclass(slots=True)
class Load:
    """`rate_per_s` messages a second. `run` ends when everything that was begun is answered, or given up."""

    run_id: str
    rate_per_s: float
    rest: Rest
    esme: Esme
    mails: Mails
    history: History
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_OPEN))

    async def run(self, stop: Callable[[], bool]) -> None:
        """Begin one message after the other until `stop`; TaskGroup's exceptions for what should not happen."""
        loop = asyncio.get_running_loop()
        due, number = loop.time(), 0
        async with asyncio.TaskGroup() as tasks:
            while not stop():
                group = self._group(number)
                number += len(group)
                due = max(due + len(group) / self.rate_per_s, loop.time())
                await self._room.acquire()
                for one in group:
                    self.history.begin(one)
                tasks.create_task(self._within(group))
                await asyncio.sleep(due - loop.time())

    def _group(self, number: int) -> list[Item]:
        """The message of that number, with those that are handed in together with it."""
        first = item(self.run_id, number)
        if first.way != "batch":
            return [first]
        size = len(WAYS) - number % len(WAYS)
        row = [item(self.run_id, number + place) for place in range(size)]
        return [one for one in row if one.way == "batch"]

    async def _within(self, group: list[Item]) -> None:
        """What has no answer in time stays open in the history, where a checker finds it."""
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                await self._hand_in(group)
        except TimeoutError:
            return
        finally:
            self._room.release()

    async def _hand_in(self, group: list[Item]) -> None:
        first = group[0]
        match first.way:
            case "batch":
                await self.rest.batch(group)
            case "smpp":
                await self._once_or_twice(first, self.esme.send)
            case "smtp":
                await self._once_or_twice(first, self.mails.send)
            case "single":
                await self._single(first)

    async def _single(self, one: Item) -> None:
        match one.kind:
            case "scheduled":
                at = (datetime.now(UTC) + LATER).isoformat()
                if message_id := await self.rest.send(one, {**one.body, "send_at": at}):
                    await self.rest.cancel(one, message_id)
            case "cancel":
                if message_id := await self.rest.send(one):
                    await self.rest.cancel(one, message_id)
            case "reused":
                if await self.rest.send(one):
                    await self.rest.reuse(one)
            case _:
                await self._once_or_twice(one, self.rest.send)

    async def _once_or_twice(self, one: Item, send: Callable[[Item], Coroutine[Any, Any, object]]) -> None:
        """A message of the kind `twice` is handed in twice at the same time and once more later: it must stay one."""
        if one.kind != "twice":
            await send(one)
            return
        async with asyncio.TaskGroup() as both:
            both.create_task(send(one))
            both.create_task(send(one))
        await asyncio.sleep(TWICE_AFTER_S)
        await send(one)
