"""Receives the tenants' callbacks on loopback and notes them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from streams.crash.history import History

HOST: Final = "127.0.0.1"
PATH: Final = "/callbacks"
MAX_BODY_OCTETS: Final = 256 * 1024
STOP_WITHIN_S: Final = 5.0


@asynccontextmanager
async def sink(history: History) -> AsyncIterator[int]:
    """Callbacks are in the history while the block runs; gives the port."""

    async def take(request: web.Request) -> web.Response:
        event_id = request.headers.get("webhook-id", "")
        try:
            message_id = json.loads(await request.read())["data"]["message_id"]
        except (ValueError, LookupError, TypeError):
            return web.Response(status=400)
        history.callbacks[str(message_id)][event_id] += 1
        return web.Response(status=204)

    app = web.Application(client_max_size=MAX_BODY_OCTETS)
    app.router.add_post(PATH, take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        yield int(runner.addresses[0][1])
    finally:
        async with asyncio.timeout(STOP_WITHIN_S):
            await runner.cleanup()
