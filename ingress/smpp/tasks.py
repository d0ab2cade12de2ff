"""The tasks of a server: kept while they run, awaited at its end, and the first failure of one told to whoever watches."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """`failure` ends with the exception of the first task that fails; a server that has one must be started anew."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self.failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run it."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def finish(self, timeout_ms: int) -> None:
        """Let everything end by itself for as long as this, then cancel what is left and wait for it."""
        if self._running:
            await asyncio.wait(self._running, timeout=timeout_ms / 1000)
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.failure.done():
            self.failure.set_result(error)
