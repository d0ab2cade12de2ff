"""Giving way to other tasks without any clock."""

import asyncio


async def turn() -> None:
    """Let every task that is ready run once."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.call_soon(ready.set_result, None)
    await ready
