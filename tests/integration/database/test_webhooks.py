"""Callbacks end to end: a real PostgreSQL, a real Kafka, and receivers on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from egress.webhooks.deliver import LEASE_MARGIN_MS, Deliverer
from egress.webhooks.post import MAX_RESPONSE_OCTETS, open_client
from egress.webhooks.run import run_webhooks
from egress.webhooks.schedule import DELAYS_MS
from egress.webhooks.settings import WebhookSettings
from egress.webhooks.signing import sign
from egress.webhooks.store import DeliveryStore
from schemas.codec import Codec
from schemas.rows import CallbackDue
from schemas.sql.webhook_secret import new_webhook_secret
from schemas.topics import DEADLETTERS, WEBHOOKS
from tests.conftest import Stack
from tests.integration.database.conftest import Clock, eventually
from tests.integration.database.test_archive import make_topics, send

pytestmark = pytest.mark.integration

SECRET = new_webhook_secret()
DUE = CallbackDue("evt-1", "acme", "msg-1", "message.delivered", 1, '{"type":"message.delivered","data":{"n":"æ"}}')
LOCAL = WebhookSettings(allow_private=True, poll_ms=10)


@dataclass
class Receiver:
    """A tenant's server: it answers with these in turn, the last one for ever, and keeps what it got."""

    answers: list[web.Response | Callable[[], Awaitable[web.Response]]]
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append((dict(request.headers), await request.read()))
        answer = self.answers[min(len(self.got), len(self.answers)) - 1]
        if callable(answer):
            return await answer()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


@asynccontextmanager
async def receiving(*answers: web.Response | Callable[[], Awaitable[web.Response]]) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(answers))
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def endpoint(pool: Any, url: str, tenant: str = "acme") -> None:
    await pool.execute("insert into tenants (tenant_id, value) values ($1, '{}') on conflict do nothing", tenant)
    await pool.execute("insert into webhook_endpoints values ($1, 'default', $2, $3)", tenant, url, [SECRET])


@asynccontextmanager
async def delivering(pool: Any, clock: Clock, settings: WebhookSettings = LOCAL) -> AsyncIterator[DeliveryStore]:
    store, stop = DeliveryStore(pool), asyncio.Event()
    async with open_client(settings) as client, asyncio.TaskGroup() as group:
        deliverer = Deliverer(store, client, settings, clock, lambda: 0.0)
        group.create_task(deliverer.run(stop))
        yield store
        stop.set()


async def until(pool: Any, condition: str) -> Any:
    """The row of the one delivery that meets the condition."""
    query = f"select * from webhook_deliveries where {condition}"  # noqa: S608 - conditions are written in this file
    return await eventually(lambda: pool.fetchrow(query))


async def test_two_failures_and_then_a_success_with_the_same_id_and_a_true_signature(pool: Any) -> None:
    clock = Clock()
    async with receiving(*(web.Response(status=s) for s in (500, 302, 204))) as receiver:
        await endpoint(pool, receiver.url)
        async with delivering(pool, clock) as store:
            await store.add([DUE, DUE], clock())
            await store.add([DUE], clock())
            for attempt in (1, 2):
                row = await until(
                    pool,
                    f"attempts = {attempt} and last_status <> 0 and due_at_ms = {clock() + DELAYS_MS[attempt - 1]}",
                )
                assert row["state"] == "pending"
                clock.now = row["due_at_ms"]
            row = await until(pool, "state = 'delivered'")
    assert (row["attempts"], row["last_status"], row["settled_at_ms"]) == (3, 204, clock())
    assert len(receiver.got) == 3
    for headers, body in receiver.got:
        assert body == DUE.payload.encode()
        assert headers["webhook-id"] == "evt-1"
        assert headers["Content-Type"] == "application/json"
        assert headers["webhook-signature"] == sign(SECRET, "evt-1", int(headers["webhook-timestamp"]), body)
    assert [int(h["webhook-timestamp"]) for h, _ in receiver.got] == [1000, 1005, 1305]


async def test_retry_after_is_honoured_and_the_last_failure_gives_up(pool: Any) -> None:
    clock = Clock()
    settings = replace(LOCAL, delays_ms=(1_000,))
    async with receiving(web.Response(status=429, headers={"Retry-After": "60"})) as receiver:
        await endpoint(pool, receiver.url)
        async with delivering(pool, clock, settings) as store:
            await store.add([DUE], clock())
            row = await until(pool, "last_status = 429")
            assert row["due_at_ms"] == clock() + 60_000
            clock.now = row["due_at_ms"]
            row = await until(pool, "state = 'failed'")
    assert (row["attempts"], row["last_error"]) == (2, "status 429")


async def test_410_disables_the_endpoint_and_nothing_more_is_kept_for_it(pool: Any) -> None:
    clock = Clock()
    async with receiving(web.Response(status=410)) as receiver:
        await endpoint(pool, receiver.url)
        async with delivering(pool, clock) as store:
            await store.add([DUE], clock())
            row = await until(pool, "state = 'failed'")
            assert row["last_status"] == 410
            await eventually(lambda: pool.fetchval("select true from webhook_endpoints where not enabled"))
            await store.add([replace(DUE, event_id="evt-2")], clock())
    assert await pool.fetchval("select count(*) from webhook_deliveries") == 1


DELIVERED = "select count(*) = 30 from webhook_deliveries where tenant_id = $1 and state = 'delivered'"


async def test_a_slow_endpoint_has_its_share_of_the_posts_and_blocks_nobody(pool: Any) -> None:
    clock, release, running, most = Clock(), asyncio.Event(), 0, 0

    async def slow() -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await release.wait()
        running -= 1
        return web.Response()

    async with receiving(slow) as tarpit, receiving(web.Response()) as quick:
        await endpoint(pool, tarpit.url, "slow")
        await endpoint(pool, quick.url, "quick")
        async with delivering(pool, clock, replace(LOCAL, in_flight=10, per_endpoint=3)) as store:
            await store.add([replace(DUE, tenant_id="slow", event_id=f"s{n}") for n in range(30)], clock())
            await store.add([replace(DUE, tenant_id="quick", event_id=f"q{n}") for n in range(30)], clock())
            await eventually(lambda: pool.fetchval(DELIVERED, "quick"))
            assert len(tarpit.got) == most == 3
            release.set()
            await eventually(lambda: pool.fetchval(DELIVERED, "slow"))
    assert most == 3
    assert len(quick.got) == 30


async def test_what_a_dead_process_held_is_delivered_when_its_lease_ends(pool: Any) -> None:
    clock = Clock()
    async with receiving(web.Response()) as receiver:
        await endpoint(pool, receiver.url)
        dead = DeliveryStore(pool)
        await dead.add([DUE], clock())
        (held,) = await dead.claim(5, 4, {}, clock(), LEASE_MARGIN_MS)
        assert await dead.claim(5, 4, {}, clock(), LEASE_MARGIN_MS) == []
        async with delivering(pool, clock):
            clock.now += LEASE_MARGIN_MS
            row = await until(pool, "state = 'delivered'")
        await dead.failed(held, 0, "late", clock())
    assert row["attempts"] == 2
    assert await pool.fetchval("select state from webhook_deliveries") == "delivered"


async def test_concurrent_claims_never_share_a_delivery(pool: Any) -> None:
    await endpoint(pool, "https://example.com")
    store = DeliveryStore(pool)
    await store.add([replace(DUE, event_id=f"e{n}") for n in range(50)], 0)
    claims = await asyncio.gather(*(store.claim(20, 50, {}, 1, 1_000) for _ in range(5)))
    ids = [d.event_id for claim in claims for d in claim]
    assert len(ids) == len(set(ids))


async def test_private_addresses_and_http_are_refused_without_a_connection(pool: Any) -> None:
    clock = Clock()
    async with receiving(web.Response()) as receiver:
        port = receiver.url.rpartition(":")[2]
        for n, url in enumerate((receiver.url, f"https://127.0.0.1:{port}", f"https://localhost:{port}")):
            await endpoint(pool, url, f"t{n}")
        async with delivering(pool, clock, WebhookSettings(poll_ms=10)) as store:
            await store.add([replace(DUE, tenant_id=f"t{n}") for n in range(3)], clock())
            errors = [(await until(pool, f"tenant_id = 't{n}' and last_error <> ''"))["last_error"] for n in range(3)]
    assert receiver.got == []
    assert errors == [
        "the URL is not https",
        "the address is not public",
        "the name leads to an address that is not public",
    ]


async def test_a_slow_or_endless_answer_ends_in_time(pool: Any) -> None:
    clock, release = Clock(), asyncio.Event()

    async def never() -> web.Response:
        await release.wait()
        return web.Response()

    async with receiving(never, web.Response(body=b"x" * (20 * MAX_RESPONSE_OCTETS))) as receiver:
        await endpoint(pool, receiver.url)
        async with delivering(pool, clock, replace(LOCAL, timeout_ms=300)) as store:
            await store.add([DUE], clock())
            row = await until(pool, "last_error <> ''")
            assert row["last_error"] == "no answer within 300 ms"
            clock.now = row["due_at_ms"]
            await until(pool, "state = 'delivered'")
            release.set()


async def test_the_process_takes_callbacks_from_kafka_and_delivers_them(
    stack: Stack, pool: Any, avro: Codec, dsn: str
) -> None:
    await make_topics(stack.bootstrap, WEBHOOKS.name, DEADLETTERS.name)
    async with receiving(web.Response(status=500), web.Response()) as receiver:
        await endpoint(pool, receiver.url)
        await send(stack.bootstrap, WEBHOOKS.name, avro.encode(DUE), avro.encode(DUE))
        stop = asyncio.Event()
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            settings = replace(LOCAL, delays_ms=(50,))
            group.create_task(run_webhooks(stack.bootstrap, dsn, avro, settings, stop))
            row = await until(pool, "state = 'delivered'")
            stop.set()
    assert row["attempts"] == len(receiver.got) == 2
