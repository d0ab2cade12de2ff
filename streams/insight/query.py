"""The stream-table queries over HTTP: usage of a tenant by minute, health, metrics."""

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry

from streams.insight.app import Insight
from streams.insight.usage import DEFAULT_MINUTES, HORIZON_MINUTES, MAX_TENANT_CHARACTERS, MINUTE_MS
from streams.metrics import exposition

MAX_BODY_OCTETS = 1024


def routes(insight: Insight, registry: CollectorRegistry) -> web.Application:
    """The web application. Every route is read-only; what is asked for wrongly answers 400 with `{"error": …}`."""
    tally = insight.tally
    application = web.Application(client_max_size=MAX_BODY_OCTETS)

    async def usage(request: web.Request) -> web.Response:
        tenant_id, minutes = request.query.get("tenant", ""), request.query.get("minutes", str(DEFAULT_MINUTES))
        if not 0 < len(tenant_id) <= MAX_TENANT_CHARACTERS:
            return _json({"error": f"tenant: 1 to {MAX_TENANT_CHARACTERS} characters"}, 400)
        if not (minutes.isascii() and minutes.isdigit() and 1 <= int(minutes[:6]) <= HORIZON_MINUTES):
            return _json({"error": f"minutes: 1 to {HORIZON_MINUTES}"}, 400)
        if not insight.is_ready:
            return _json({"error": "restoring"}, 503)
        rows = [
            {
                "minute": line.minute_ms,
                "tenant_id": line.tenant_id,
                "channel": line.channel,
                "state": line.state,
                "count": line.count,
            }
            for line in tally.usage(tenant_id, int(minutes), insight.partitions())
        ]
        return _json({"rows": rows, "since": tally.minutes.since * MINUTE_MS}, 200)

    async def health(_: web.Request) -> web.Response:
        ready = insight.is_ready
        told = {"ready": ready, "partitions": insight.partitions() if ready else (), "rows": len(tally.minutes)}
        return _json(told, 200 if ready else 503)

    async def metrics(_: web.Request) -> web.Response:
        body, content_type = exposition(registry)
        return web.Response(body=body, headers={"Content-Type": content_type})

    application.router.add_get("/v1/insight/usage", usage)
    application.router.add_get("/healthz", health)
    application.router.add_get("/metrics", metrics)
    return application


def _json(value: object, status: int) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
