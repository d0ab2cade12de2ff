"""Asks again until an answer is good, or as it is when the time is up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

POLL_S: Final = 0.1
PATIENCE_MS: Final = 20_000
"""How long anything may take to become what is expected of it."""

T = TypeVar("T")


async def wait_for(ask: Callable[[], Awaitable[T]], good: Callable[[T], bool], within_ms: int) -> T:
    """The first answer that is good, or the last one; it is asked for at least once, every tenth of a second."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_ms / 1000
    while True:
        answer = await ask()
        if good(answer) or loop.time() >= deadline:
            return answer
        await asyncio.sleep(POLL_S)
