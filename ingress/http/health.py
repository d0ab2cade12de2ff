"""The handlers for whoever operates the gateway: is it alive, is it ready, what are its numbers."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from ingress.http.problems import json_response
from ingress.http.services import Services

READY_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """Needs no credential and tells nothing about a tenant."""

    services: Services

    async def alive(self, _request: web.Request) -> web.Response:
        """GET /healthz: 200 as long as the event loop turns."""
        return json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """GET /readyz: 200, or 503 with the names of what is not ready."""
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                missing = await self.services.ready()
        except TimeoutError:
            missing = ["readiness"]
        if missing:
            return json_response({"status": "not_ready", "not_ready": missing}, 503, {"Retry-After": "1"})
        return json_response({"status": "ready", "not_ready": []})

    async def metrics(self, _request: web.Request) -> web.Response:
        """GET /metrics: every metric of the process in the Prometheus text format."""
        body, content_type = self.services.meter.exposition()
        return web.Response(body=body, headers={"Content-Type": content_type})
