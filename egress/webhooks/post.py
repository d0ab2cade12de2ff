"""Posts one callback to one endpoint and tells what it said."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from egress.webhooks.guard import GuardedResolver, RefusedAddressError, check_url
from egress.webhooks.settings import WebhookSettings
from egress.webhooks.signing import headers
from egress.webhooks.store import Delivery

MAX_RESPONSE_OCTETS = 64 * 1024
MAX_HEADER_OCTETS = 8_190
USER_AGENT = "Hermes-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a post: the status, zero when there was none and `error` says why; `retry_after` as it was sent."""

    status: int
    error: str = ""
    retry_after: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return 200 <= self.status < 300


@asynccontextmanager
async def open_client(settings: WebhookSettings) -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client that reaches public addresses only, verifies TLS, and keeps no cookies."""
    resolver = GuardedResolver(allow_private=settings.allow_private)
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        limit=settings.in_flight,
        limit_per_host=0,
        ssl=ssl.create_default_context(),
    )
    client = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT, "Content-Type": "application/json"},
        auto_decompress=False,
        trust_env=False,
        max_line_size=MAX_HEADER_OCTETS,
        max_field_size=MAX_HEADER_OCTETS,
    )
    try:
        yield client
    finally:
        await client.close()
        await resolver.close()


async def post(client: aiohttp.ClientSession, delivery: Delivery, settings: WebhookSettings, now_ms: int) -> Answer:
    """The answer to one attempt, signed at `now_ms`; it never raises for what a tenant's URL or server does."""
    try:
        check_url(delivery.url, allow_private=settings.allow_private)
        signed = headers(delivery.secrets, delivery.event_id, now_ms // 1000, delivery.payload)
        async with (
            asyncio.timeout(settings.timeout_ms / 1000),
            client.post(delivery.url, data=delivery.payload, headers=signed, allow_redirects=False) as response,
        ):
            await _drain(response)
            return Answer(response.status, "", response.headers.get("Retry-After"))
    except TimeoutError:
        return Answer(0, f"no answer within {settings.timeout_ms} ms")
    except RefusedAddressError as error:
        return Answer(0, str(error))
    except aiohttp.ClientConnectorError as error:
        refused = error.os_error if isinstance(error.os_error, RefusedAddressError) else None
        return Answer(0, str(refused) if refused else "no connection")
    except (aiohttp.ClientError, ValueError, OSError) as error:
        return Answer(0, type(error).__name__)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """The body is read and dropped, so that the connection can be used again; a long one costs it its connection."""
    read = 0
    async for chunk in response.content.iter_any():
        read += len(chunk)
        if read > MAX_RESPONSE_OCTETS:
            response.close()
            return
