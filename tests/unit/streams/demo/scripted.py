"""A scripted world: an API that answers as it was told, evidence and processes as values, books in files."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.cascade.commands import Exhausted
from egress.archive.ledger import LedgerCheck
from streams.demo.api import Answer, Json
from streams.demo.books import Books
from streams.demo.world import MAIN, SLOW, SMALL, SUSPENDED, World

Handler = Callable[[str, str, Json | None, Mapping[str, str]], Answer]
NOT_FOUND = Answer(404, {"code": "not_found"})
PRICES = {"sms": 30_000, "email": 1_000}


@dataclass
class FakeApi:
    """Answers by its handler, and keeps what it was asked."""

    handler: Handler
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def call(
        self, method: str, path: str, body: Json | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        self.asked.append((method, path))
        return self.handler(method, path, body, headers or {})


@dataclass
class FakeEvidence:
    """Dead letters and ledgers as values; a metric grows by one each time it is read."""

    letters: dict[str, Exhausted] = field(default_factory=dict)
    ledgers: dict[str, LedgerCheck] = field(default_factory=dict)
    reads: int = 0

    async def dead_letters(self) -> dict[str, Exhausted]:
        return self.letters

    async def ledger(self, tenant_id: str) -> LedgerCheck | None:
        return self.ledgers.get(tenant_id)

    async def metric(self, role: str, name: str, labels: Mapping[str, str]) -> float:
        self.reads += 1
        return self.reads


@dataclass
class FakeMachine:
    """A process that comes back with the next id."""

    number: int = 100

    def pid(self, name: str) -> int:
        return self.number

    def kill(self, name: str) -> int:
        self.number += 1
        return self.number - 1


def world_of(folder: Path, handler: Handler, evidence: FakeEvidence | None = None) -> World:
    """A world in which every tenant has the same API and nobody is patient."""
    tenants = [{"name": name, "tenant_id": f"id of {name}"} for name in (MAIN, SUSPENDED, SLOW, SMALL)]
    return World(
        run="r1", document={"tenants": tenants}, apis={one["name"]: FakeApi(handler) for one in tenants},
        books=Books(folder / "carrier", folder / "mx"), evidence=evidence or FakeEvidence(), machine=FakeMachine(),
        patience_ms=0,
    )  # fmt: skip


def write_books(world: World, texts: list[str], mailboxes: list[str]) -> None:
    """The peers took these."""
    world.books.carrier.write_text("".join(json.dumps({"text": one}) + "\n" for one in texts))
    world.books.mx.write_text("".join(json.dumps({"recipient": one}) + "\n" for one in mailboxes))


def message(message_id: str, state: str, attempts: list[Any], confirmed_by: int | None = None, **more: Any) -> Json:
    """The view of a message, as the API gives it."""
    price = PRICES[attempts[confirmed_by - 1]["channel"]] if confirmed_by else 0
    return {
        "message_id": message_id, "status": {"state": state}, "attempts": attempts, "confirmed_by": confirmed_by,
        "price": {"amount_micros": price}, "reserved": {"amount_micros": 0}, **more,
    }  # fmt: skip


def attempt(number: int, channel: str, state: str, **flags: Any) -> Json:
    """An attempt, as the API gives it."""
    provider = "id" if state in ("sent", "delivered", "timed_out") else None
    return {"number": number, "channel": channel, "status": {"state": state}, "provider_message_id": provider, **flags}


def events(*words: str) -> list[Json]:
    """A timeline, a second between its lines, from `sent 1` and the like."""
    found = []
    for second, one in enumerate(words):
        event, _, number = one.partition(" ")
        at = f"2026-11-24T12:00:{second:02d}Z"
        found.append({"at": at, "event": event, "attempt": int(number) if number else None, "channel": "sms"})
    return found
