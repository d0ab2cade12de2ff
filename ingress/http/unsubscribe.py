"""One click and a recipient is left alone: the page behind the link, and the request that a mail program sends (RFC 8058)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html import escape
from typing import Final

from aiohttp import web

from domain.errors import TransientError
from domain.inbound import Suppress
from ingress.bucket import Bucket
from ingress.http.problems import refuse
from ingress.times import monotonic_ms
from schemas.unsubscribe import Leaving, Unsubscribing

MOST_PER_S: Final = 200
"""Of one gateway: whoever has one link could ask with it again and again."""
BURST: Final = 1_000
HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}

_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Unsubscribe</title>'
    '<meta name="viewport" content="width=device-width"><style>body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;'
    "margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1.5rem}</style></head><body>"
)
_ASK = '<h1>Unsubscribe</h1><p>Nothing more shall be sent to {}.</p><form method="post"><button>Unsubscribe</button></form>'
_DONE = "<h1>Unsubscribed</h1><p>Nothing more is sent to {}.</p>"


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Both handlers. `publish` returns when the wish is durable, or raises TransientError; `clock` is ms since 1970."""

    links: Unsubscribing
    publish: Callable[[Suppress], Awaitable[None]]
    clock: Callable[[], int]
    bucket: Bucket = field(default_factory=lambda: Bucket(MOST_PER_S, BURST, monotonic_ms))

    async def page(self, request: web.Request) -> web.Response:
        """A page with a button; it changes nothing, for programs follow the links in a mail."""
        return _page(_ASK, self._leaving(request))

    async def leave(self, request: web.Request) -> web.Response:
        """The address that the link names is left alone from now on; what the body says does not matter."""
        leaving = self._leaving(request)
        if not self.bucket.take():
            raise TransientError("too many want to leave at once", self.bucket.wait_ms())
        wish = Suppress(leaving.tenant_id, leaving.channel, leaving.address, "unsubscribed", self.clock())
        await self.publish(wish)
        return _page(_DONE, leaving)

    def _leaving(self, request: web.Request) -> Leaving:
        leaving = self.links.read(request.match_info["token"])
        if leaving is None:
            raise refuse("not_found", "There is no such link")
        return leaving


def _page(content: str, leaving: Leaving) -> web.Response:
    return web.Response(text=f"{_HEAD}{content.format(escape(leaving.address))}</body></html>", headers=HEADERS)
