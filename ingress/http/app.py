"""The REST gateway as one aiohttp application: the route table, the pages made from it, and the one door."""

from importlib.metadata import version

import orjson
from aiohttp import web

from ingress.http.door import MAX_REQUESTS_AT_ONCE, REQUEST_TIMEOUT_S, Door
from ingress.http.openapi import openapi
from ingress.http.pages import POLICY, errors_page, reference_page
from ingress.http.reading import MAX_BODY_BYTES
from ingress.http.routes import Endpoint, Handler, endpoints
from ingress.http.services import Meter, Services

__all__ = ["Meter", "Services", "build_app"]

_HTML = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
_HTML |= {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def build_app(
    services: Services, *, max_requests: int = MAX_REQUESTS_AT_ONCE, timeout_s: float = REQUEST_TIMEOUT_S
) -> web.Application:
    """The application; it refuses more than `max_requests` at once and ends each after `timeout_s`."""
    door = Door(services, max_requests, timeout_s)

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await door.admit(request, handler)

    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[admit])
    described = endpoints(services)
    for endpoint in (*described, *_page_endpoints(described, services.public_url)):
        if endpoint.method == "GET":
            app.router.add_get(endpoint.path, endpoint.handler, allow_head=True)
        else:
            app.router.add_route(endpoint.method, endpoint.path, endpoint.handler)
    return app


def _page_endpoints(described: tuple[Endpoint, ...], public_url: str) -> tuple[Endpoint, ...]:
    """The pages about the endpoints that are `described`, and about themselves."""
    made: dict[str, bytes] = {}

    async def document(_request: web.Request) -> web.Response:
        return web.Response(body=made["openapi"], headers={"Content-Type": "application/json"})

    async def reference(_request: web.Request) -> web.Response:
        return web.Response(body=made["reference"], headers=_HTML)

    async def errors(_request: web.Request) -> web.Response:
        return web.Response(body=made["errors"], headers=_HTML)

    async def home(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/docs"})

    html = "text/html"
    pages = (
        Endpoint("GET", "/openapi.json", document, "openapi", "This document", "operations"),
        Endpoint("GET", "/docs", reference, "docs", "The reference as a page", "operations", media_type=html),
        Endpoint("GET", "/docs/errors", errors, "errors", "Every error code", "operations", media_type=html),
        Endpoint("GET", "/", home, "home", "Leads to the reference", "operations", status=302),
    )
    whole = openapi((*described, *pages), public_url, version("hermes-delivery"))
    made["openapi"] = orjson.dumps(whole)
    made["reference"] = reference_page(whole, public_url)
    made["errors"] = errors_page()
    return pages
