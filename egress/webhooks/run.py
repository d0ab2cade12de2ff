"""The callback process: callbacks due, from their topic into PostgreSQL, and from there to the tenants' endpoints."""

import asyncio
import time
from collections.abc import Sequence

from egress.consume import Source, consume
from egress.meter import Meter, Unmetered
from egress.webhooks.deliver import Deliverer
from egress.webhooks.post import open_client
from egress.webhooks.settings import WebhookSettings
from egress.webhooks.store import DeliveryStore
from schemas.codec import Codec
from schemas.rows import CallbackDue
from schemas.sql.pool import open_pool
from schemas.topics import WEBHOOKS

GROUP = "hermes.webhooks"
POOL_SIZE = 8


async def run_webhooks(
    bootstrap: str, dsn: str, codec: Codec, settings: WebhookSettings, stop: asyncio.Event, meter: Meter | None = None
) -> None:
    """Deliver callbacks until `stop`; each at least once, with the same webhook-id. Any failure is raised."""
    async with open_pool(dsn, POOL_SIZE) as pool, open_client(settings) as client:
        store = DeliveryStore(pool)
        known = meter or Unmetered()
        deliverer = Deliverer(store, client, settings, meter=known)

        async def take_in(callbacks: Sequence[CallbackDue]) -> None:
            await store.add(callbacks, time.time_ns() // 1_000_000)
            deliverer.arrived.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(consume(Source(bootstrap, GROUP, (WEBHOOKS,)), codec, take_in, stop, meter=known))
            group.create_task(deliverer.run(stop))
