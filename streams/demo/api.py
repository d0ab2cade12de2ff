"""What the demo asks of the REST API, as one tenant: send, look, cancel."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import aiohttp

from streams.demo.expectations import Line
from streams.demo.patience import wait_for

Json = dict[str, Any]

REQUEST_TIMEOUT_S = 30.0
"""The gateway answers within seconds, with 503 when it has to."""
FINAL = frozenset({"delivered", "exhausted", "cancelled", "expired"})
SENT, UNAVAILABLE = 202, 503


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON object and headers of an answer."""

    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The problem's code, empty for none."""
        return str(self.body.get("code", ""))


class Api(Protocol):
    """One tenant's REST API."""

    async def call(
        self, method: str, path: str, body: Json | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to one request, whatever its status; TimeoutError, or aiohttp's ClientError, without one."""


@dataclass(frozen=True, slots=True)
class Client:
    """The API over HTTP, with a tenant's key."""

    session: aiohttp.ClientSession
    base: str
    key: str = field(repr=False)

    async def call(
        self, method: str, path: str, body: Json | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """See Api."""
        given = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        async with (
            asyncio.timeout(REQUEST_TIMEOUT_S),
            self.session.request(method, self.base + path, json=body, headers=given) as response,
        ):
            value = await response.json(content_type=None) if response.content_length != 0 else {}
            return Answer(response.status, value if isinstance(value, dict) else {}, dict(response.headers))


async def send(api: Api, message: Json) -> Answer:
    """The answer to one message."""
    return await api.call("POST", "/v1/messages/send", message)


async def view(api: Api, message_id: str) -> Json:
    """The state of a message; empty when it is not known (yet)."""
    answer = await api.call("GET", f"/v1/messages/{message_id}")
    return answer.body if answer.status == 200 else {}


async def events(api: Api, message_id: str) -> list[Json]:
    """The timeline of a message."""
    answer = await api.call("GET", f"/v1/messages/{message_id}/events")
    found: list[Json] = answer.body.get("events", []) if answer.status == 200 else []
    return found


async def wait_final(api: Api, message_id: str, within_ms: int) -> Json:
    """The message once it is final, or as it is `within_ms` later."""
    return await wait_for(lambda: view(api, message_id), lambda found: state_of(found) in FINAL, within_ms)


async def wait_events(api: Api, message_id: str, done: Callable[[Sequence[Json]], bool], within_ms: int) -> list[Json]:
    """The timeline once it is `done`, or as it is `within_ms` later."""
    return await wait_for(lambda: events(api, message_id), done, within_ms)


def state_of(message: Json) -> str:
    """The state of a message, empty when it is not known."""
    return str((message.get("status") or {}).get("state", ""))


def words(event: Json) -> str:
    """An event as `sent 1` or `accepted`."""
    return f"{event['event']} {event['attempt']}" if event.get("attempt") else str(event["event"])


def attempt_words(attempt: Json) -> str:
    """An attempt as `1 sms delivered late`."""
    flags = [name for name in ("late", "redundant", "unknown") if attempt.get(name)]
    return " ".join([str(attempt["number"]), attempt["channel"], attempt["status"]["state"], *flags])


def micros(message: Json, what: str = "price") -> int | None:
    """The price (or what is still `reserved`) of a message."""
    return (message.get(what) or {}).get("amount_micros")


def lines(message_id: str, timeline: Sequence[Json]) -> list[Line]:
    """A timeline for people."""
    if not timeline:
        return []
    began = _moment(timeline[0])
    return [
        Line(
            message_id, round((_moment(event) - began).total_seconds() * 1000), event["event"],
            event.get("attempt") or 0, event.get("channel") or "", event.get("detail") or "",
        )
        for event in timeline
    ]  # fmt: skip


def _moment(event: Json) -> datetime:
    return datetime.fromisoformat(str(event["at"]))
