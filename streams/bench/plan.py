"""What the load generator is to send, and what it tells afterwards."""

import json
from dataclasses import dataclass, field
from typing import Any, Final, Literal

NUMBERS: Final = 1_000

Steps = Literal["direct", "twice", "email"]
"""`direct`: one SMS. `twice`: an SMS, and once more when it is refused; sent is enough. `email`: one mail."""

ROUTING: Final[dict[Steps, dict[str, Any]]] = {
    "direct": {"type": "direct", "direct_channel": "sms"},
    "twice": {
        "type": "channels",
        "channels": [{"channel": "sms"}, {"channel": "sms"}],
        "confirmation_level": "sent",
    },
    "email": {"type": "direct", "direct_channel": "email"},
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: `rate_per_s` requests, zero for as many as there are answers; `batch` messages in each.

    The API keys take turns. `prefix` begins the numbers, of which there are `numbers`. `tolerated` are the statuses beside
    the accepting ones that do not end the run; `keep` says whether ids and moments of what was accepted are told.
    """

    host: str
    port: int
    connections: int
    seconds: float
    rate_per_s: float
    batch: int
    api_keys: tuple[str, ...] = field(repr=False)
    steps: Steps = "direct"
    prefix: str = "+4520"
    numbers: int = NUMBERS
    tolerated: frozenset[int] = frozenset()
    keep: bool = False


@dataclass(slots=True)
class Told:
    """What happened. Latencies in milliseconds, of requests that were accepted; times in milliseconds since 1970."""

    requests: int = 0
    messages: int = 0
    began_ms: int = 0
    ended_ms: int = 0
    cpu_s: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    without_retry_after: int = 0
    ids: list[str] = field(default_factory=list)
    accepted_ms: list[int] = field(default_factory=list)


def requests_of(plan: Plan) -> list[bytes]:
    """Whole requests, head and body, for `plan.numbers` different numbers in all; they are sent in turn."""
    path = "/v1/messages/batch" if plan.batch else "/v1/messages/send"
    found = []
    size = max(plan.batch, 1)
    for first in range(0, plan.numbers, size):
        messages = [_message(plan, first + item) for item in range(size)]
        body = json.dumps({"messages": messages} if plan.batch else messages[0]).encode()
        key = plan.api_keys[first // size % len(plan.api_keys)]
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {plan.host}:{plan.port}\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        found.append(head.encode("ascii") + body)
    return found


def _message(plan: Plan, number: int) -> dict[str, Any]:
    digits = f"{number % 1_000_000:06}"
    to = {"type": "phone", "phone": f"{plan.prefix}{digits}"}
    if plan.steps == "email":
        to = {"type": "email", "email": f"delivered+{digits}@sandbox.hermes.dev"}
    body = {"text": f"Your parcel {digits} is here. Track it in our app."}
    return {"to": to, "body": body, "routing": ROUTING[plan.steps]}


def accepted_in(status: int, body: bytes, batch: int) -> int:
    """How many messages an answer accepts."""
    if not batch:
        return 1 if status == 202 else 0
    return int(json.loads(body)["accepted"]) if status == 200 else 0
