"""Delivers callbacks that are due: claims them, posts them side by side, settles each by its answer."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
import structlog

from egress.meter import Meter, Unmetered
from egress.webhooks.post import Answer, post
from egress.webhooks.schedule import next_delay_ms, retry_after_ms
from egress.webhooks.settings import WebhookSettings
from egress.webhooks.store import Delivery, DeliveryStore, Endpoint

GONE = 410
"""The receiver wants no more: the endpoint is disabled (Standard Webhooks)."""
LEASE_MARGIN_MS = 30_000
"""A claim outlives its post by this, so that nobody else begins while the result is being written."""
STORE_TIMEOUT_MS = 20_000
STOP_GRACE_MS = 5_000
"""What is running at the end may finish within this; the rest becomes due again when its lease ends."""

log = structlog.get_logger()
_chance = secrets.SystemRandom()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _jitter() -> float:
    return _chance.uniform(-1, 1)


@dataclass(slots=True)
class Deliverer:
    """`now_ms` is wall-clock time, `jitter` gives a number in [-1, 1]; set `arrived` when there may be new work."""

    store: DeliveryStore
    client: aiohttp.ClientSession
    settings: WebhookSettings
    now_ms: Callable[[], int] = _now_ms
    jitter: Callable[[], float] = _jitter
    meter: Meter = field(default_factory=Unmetered)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _in_flight: Counter[Endpoint] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`. A failure of the database is raised: what was claimed becomes due again by itself."""
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                self.arrived.clear()
                if not await self._start(group):
                    await self._rest()
            if self._tasks:
                _, late = await asyncio.wait(self._tasks, timeout=STOP_GRACE_MS / 1000)
                for task in late:
                    task.cancel()

    async def _start(self, group: asyncio.TaskGroup) -> int:
        """How many posts were begun just now."""
        slots = self.settings.in_flight - len(self._tasks)
        if slots <= 0:
            return 0
        async with asyncio.timeout(STORE_TIMEOUT_MS / 1000):
            claimed = await self.store.claim(
                slots, self.settings.per_endpoint, self._in_flight, self.now_ms(),
                self.settings.timeout_ms + LEASE_MARGIN_MS,
            )  # fmt: skip
        for delivery in claimed:
            self._in_flight[delivery.endpoint] += 1
            task = group.create_task(self._deliver(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(claimed)

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.poll_ms / 1000):
                await self.arrived.wait()

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            answer = await post(self.client, delivery, self.settings, self.now_ms())
            async with asyncio.timeout(STORE_TIMEOUT_MS / 1000):
                await self._settle(delivery, answer)
        finally:
            self._in_flight[delivery.endpoint] -= 1
            if not self._in_flight[delivery.endpoint]:
                del self._in_flight[delivery.endpoint]
            self.arrived.set()  # a slot is free

    async def _settle(self, delivery: Delivery, answer: Answer) -> None:
        now = self.now_ms()
        event = log.bind(
            tenant_id=delivery.endpoint.tenant_id, endpoint_id=delivery.endpoint.endpoint_id,
            event_id=delivery.event_id, attempt=delivery.attempts, status=answer.status,
        )  # fmt: skip
        if answer.accepted:
            await self.store.delivered(delivery, answer.status, now)
            self.meter.count("hermes_webhook_deliveries_total", result="delivered")
            event.info("callback_delivered")
            return
        self.meter.count("hermes_webhook_deliveries_total", result="refused")
        error = answer.error or f"status {answer.status}"
        if answer.status == GONE:
            await self.store.failed(delivery, answer.status, error, now)
            await self.store.disable(delivery.endpoint, "the endpoint answered 410", now)
            event.warning("callback_endpoint_disabled")
            return
        wish_ms = retry_after_ms(answer.status, answer.retry_after, now)
        delay_ms = next_delay_ms(self.settings.delays_ms, delivery.attempts, self.jitter(), wish_ms)
        if delay_ms is None:
            await self.store.failed(delivery, answer.status, error, now)
            event.warning("callback_given_up", error=error)
        else:
            await self.store.postponed(delivery, answer.status, error, now + delay_ms)
            event.info("callback_postponed", error=error, delay_ms=delay_ms)
