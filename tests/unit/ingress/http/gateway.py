"""The gateway under test: the real application over loopback, everything behind it fake."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from domain.cascade.plan import Plan, PlannedStep
from domain.cascade.rule import Step
from domain.cascade.states import Attempt, Cascade, Entry
from domain.tenant import ApiKey, Tenant
from ingress.gate import Gate
from ingress.http.app import Services, build_app
from ingress.http.meter import PrometheusMeter
from ingress.http.rates import Rates
from ingress.http.unsubscribe import Unsubscribe
from tables.config import ConfigTable
from tests.fakes.fake_archive import FakeArchive
from tests.fakes.fake_desk import FakeDesk
from tests.fakes.fake_directory import FakeDirectory

NOW_MS = 1_770_724_800_000
URL = "https://api.example.test"
FULL = "hk_live_full"
READER = "hk_live_reader"
SENDER = "hk_live_sender"
ADMIN = "hk_live_admin"
MESSAGE_ID = "msg-0198d0a5-3c1f-7b5e-9f43-1d1b6c6e8a10"


async def all_ready() -> list[str]:
    """Nothing is missing."""
    return []


def keys() -> dict[str, ApiKey]:
    """Secrets of tenant t1 with their keys."""
    return {
        FULL: ApiKey("full", "t1", "full", ("read", "send", "admin")),
        READER: ApiKey("reader", "t1", "reader", ("read",)),
        SENDER: ApiKey("sender", "t1", "sender", ("send",)),
        ADMIN: ApiKey("admin", "t1", "admin", ("admin",)),
        "hk_live_revoked": ApiKey("revoked", "t1", "revoked", ("read", "send", "admin"), revoked=True),
        "hk_live_expired": ApiKey("expired", "t1", "expired", ("read", "send"), expires_at_ms=NOW_MS - 1),
        "hk_test_admin": ApiKey("tester", "t1", "tester", ("admin",), test=True),
        "hk_live_other": ApiKey("other", "t2", "other", ("read", "send", "admin")),
    }


@dataclass(slots=True)
class Gateway:
    """The parts that a test scripts, and the client that it asks with."""

    desk: FakeDesk = field(default_factory=FakeDesk)
    directory: FakeDirectory = field(default_factory=lambda: FakeDirectory(keys()))
    archive: FakeArchive = field(default_factory=FakeArchive)
    config: ConfigTable = field(default_factory=ConfigTable)
    ready: Callable[[], Awaitable[list[str]]] = all_ready
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    gate: Gate = field(default_factory=lambda: Gate(lambda: 0))
    rates: Rates = field(default_factory=lambda: Rates(lambda: 0))
    unsubscribe: Unsubscribe | None = None
    _client: TestClient[Any, Any] | None = None

    @asynccontextmanager
    async def open(self, max_requests: int = 100, timeout_s: float = 5.0) -> AsyncIterator["Gateway"]:
        """Serve on a free port of 127.0.0.1 until the block is left."""
        if not self.config.version:
            self.config.apply("tenant/t1", Tenant("t1", "Acme", "starter", "active"), 7)
        ids = itertools.count(1)
        services = Services(
            self.desk, self.config, self.directory, self.archive, URL, lambda: NOW_MS,
            lambda: f"00000000-0000-7000-8000-{next(ids):012d}", PrometheusMeter(self.registry), self.ready,
            self.gate, self.rates, self.unsubscribe,
        )  # fmt: skip
        server = TestServer(build_app(services, max_requests=max_requests, timeout_s=timeout_s), host="127.0.0.1")
        async with TestClient(server, auto_decompress=False) as client:
            self._client = client
            yield self

    @property
    def client(self) -> TestClient[Any, Any]:
        """The client, while the gateway is open."""
        assert self._client is not None
        return self._client

    async def ask(
        self, method: str, path: str, key: str | None = FULL, headers: dict[str, str] | None = None, **rest: Any
    ) -> ClientResponse:
        """One request with a key as bearer, and its response, read whole."""
        credential = {"Authorization": f"Bearer {key}"} if key else {}
        response = await self.client.request(
            method, path, headers={**credential, **(headers or {})}, allow_redirects=False, **rest
        )
        await response.read()
        return response

    async def send(self, body: object, **rest: Any) -> ClientResponse:
        """POST a body to send."""
        return await self.ask("POST", "/v1/messages/send", json=body, **rest)


def a_body(**changes: object) -> dict[str, object]:
    """A message that is right, with `changes` to its top level."""
    return {
        "to": {"type": "multi", "email": "user@example.com", "phone": "+45 20 12 34 56"},
        "body": {"text": "Hello", "subject": "Hi"},
        "routing": {"type": "channels", "channels": [{"channel": "email", "timeout": "30s"}, {"channel": "sms"}]},
        **changes,
    }


def a_cascade(**changes: Any) -> Cascade:
    """A message of t1 whose e-mail failed and whose SMS is on its way."""
    steps = (PlannedStep(Step("email"), "user@example.com", 1, 10), PlannedStep(Step("sms"), "+4520123456", 2, 90_000))
    cascade = Cascade(
        MESSAGE_ID,
        "t1",
        Plan(steps, "delivered", 86_400_000, "delivered", 0, "rule-1"),
        90_000,
        NOW_MS,
        NOW_MS + 86_400_000,
        "trace",
        state="waiting_confirmation",
        step=1,
        attempts=(
            Attempt(
                1, 0, "email", "failed", NOW_MS, "mta-1", code="550", detail="no such user", completed_at_ms=NOW_MS + 5
            ),
            Attempt(2, 1, "sms", "sent", NOW_MS + 6, "carrier-1", ("id-1", "id-2"), segments=2, price_micros=90_000),
        ),
        history=(Entry(NOW_MS, "accepted", 0, ""), Entry(NOW_MS + 6, "attempting", 2, "sms")),
        updated_at_ms=NOW_MS + 7,
        wake="timeout",
        wake_at_ms=NOW_MS + 60_000,
        reference="order-1",
    )
    return replace(cascade, **changes)
