"""The bare HTTP server of the floor: aiohttp reads a body and answers with it, and does nothing else."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web

from streams.bench.plan import Plan

MAX_BODY_OCTETS: Final = 1024 * 1024
HOST: Final = "127.0.0.1"
STOP_S: Final = 1.0


async def serve(say: Callable[[int], None], stopped: asyncio.Event, plan: Plan) -> None:
    """Answer as the gateway does for this plan, with the request's own body in the answer."""

    async def one(request: web.Request) -> web.Response:
        return web.Response(body=await request.read(), status=202, content_type="application/json")

    async def batch(request: web.Request) -> web.Response:
        body = b'{"accepted":%d,"echo":%b}' % (plan.batch, await request.read())
        return web.Response(body=body, content_type="application/json")

    application = web.Application(client_max_size=MAX_BODY_OCTETS)
    application.router.add_post("/v1/messages/send", one)
    application.router.add_post("/v1/messages/batch", batch)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=STOP_S)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    try:
        say(runner.addresses[0][1])
        await stopped.wait()
    finally:
        await runner.cleanup()
