"""The load generator, a process of its own: a REST client on kept-alive connections, as cheap as Python can be.

Closed loop (rate 0): each connection sends the next request when it has its answer. Open loop: requests fall due at the
rate, whatever the answers do, and a latency counts from the moment at which its request was due, so that a gateway which
stalls is not excused from the requests that it kept waiting.
"""

import asyncio
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast

import uvloop

from streams.bench.answers import Answers, NoAnswerError

MAX_LATE: Final = 20_000
"""Requests that are due and wait for a connection: beyond it the generator gives up."""
ANSWER_TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 5.0
NUMBERS: Final = 1_000
MAX_ERRORS: Final = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: `rate_per_s` requests, zero for as many as there are answers; `batch` messages in each."""

    host: str
    port: int
    connections: int
    seconds: float
    rate_per_s: float
    batch: int
    api_key: str = field(repr=False)


@dataclass(slots=True)
class Told:
    """What happened. Latencies in milliseconds, of requests; times in milliseconds since 1970."""

    requests: int = 0
    messages: int = 0
    began_ms: int = 0
    ended_ms: int = 0
    cpu_s: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)


def requests_of(plan: Plan) -> list[bytes]:
    """Whole requests, head and body, for NUMBERS different numbers in all; they are sent in turn."""
    path = "/v1/messages/batch" if plan.batch else "/v1/messages/send"
    found = []
    size = max(plan.batch, 1)
    for first in range(0, NUMBERS, size):
        messages = [_message(first + item) for item in range(size)]
        body = json.dumps({"messages": messages} if plan.batch else messages[0]).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {plan.host}:{plan.port}\r\nAuthorization: Bearer {plan.api_key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        found.append(head.encode("ascii") + body)
    return found


def _message(number: int) -> dict[str, Any]:
    return {
        "to": {"type": "phone", "phone": f"+4520{number % 1_000_000:06}"},
        "body": {"text": f"Your parcel {number % 1_000_000:06} is here. Track it in our app."},
        "routing": {"type": "direct", "direct_channel": "sms"},
    }


class Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, answered: "Callable[[Connection, int, bytes], None]", failed: Callable[[str], None]) -> None:
        self._answered = answered
        self._failed = failed
        self._answers = Answers()
        self._transport: asyncio.WriteTransport | None = None
        self.since_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._transport = None
        self._failed(f"a connection was lost: {type(exc).__name__ if exc else 'closed by the gateway'}")

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        try:
            answers = self._answers.feed(data)
        except NoAnswerError as error:
            self._failed(str(error))
            return
        for status, body in answers:
            self._answered(self, status, body)

    def send(self, request: bytes, since_s: float) -> None:
        """Send one; its latency counts from `since_s`."""
        self.since_s = since_s
        if self._transport is not None:
            self._transport.write(request)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Load:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests = requests_of(plan)
        self._told = Told()
        self._statuses: Counter[int] = Counter()
        self._idle: deque[Connection] = deque()
        self._late: deque[float] = deque()
        self._under_way = 0
        self._until_s = 0.0
        self._all_sent = False
        self._over = asyncio.Event()

    async def run(self) -> Told:
        """Connect, send until the time is over, wait for the answers."""
        loop = asyncio.get_running_loop()
        connections: list[Connection] = []
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            for _ in range(self._plan.connections):
                _, made = await loop.create_connection(
                    lambda: Connection(self._answered, self._failed), self._plan.host, self._plan.port
                )
                connections.append(made)
        self._idle.extend(connections)
        cpu_s = time.process_time()
        began_s = time.perf_counter()
        self._until_s = began_s + self._plan.seconds
        self._told.began_ms = time.time_ns() // 1_000_000
        if self._plan.rate_per_s:
            await self._send_at_rate(began_s)
        else:
            for connection in connections:
                self._next(connection, time.perf_counter())
        try:
            async with asyncio.timeout(self._plan.seconds + ANSWER_TIMEOUT_S):
                await self._over.wait()
        except TimeoutError:
            self._failed(f"{self._under_way} requests had no answer in {ANSWER_TIMEOUT_S:g} s")
        self._told.ended_ms = time.time_ns() // 1_000_000
        self._told.cpu_s = time.process_time() - cpu_s
        self._told.statuses = dict(self._statuses)
        self._over.set()
        for connection in connections:
            connection.close()
        return self._told

    async def _send_at_rate(self, began_s: float) -> None:
        """Every request at its moment; one whose moment is past goes at once, with the latency that it has already."""
        sent = 0
        while not self._over.is_set():
            due_s = began_s + sent / self._plan.rate_per_s
            if due_s >= self._until_s:
                break
            wait_s = due_s - time.perf_counter()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            sent += 1
            if self._idle:
                self._next(self._idle.popleft(), due_s)
            elif len(self._late) < MAX_LATE:
                self._late.append(due_s)
            else:
                self._failed(f"{MAX_LATE} requests were waiting for a connection")
        self._all_sent = True
        if not self._under_way:
            self._over.set()

    def _next(self, connection: Connection, since_s: float) -> None:
        self._under_way += 1
        connection.send(self._requests[self._told.requests % len(self._requests)], since_s)
        self._told.requests += 1

    def _answered(self, connection: Connection, status: int, body: bytes) -> None:
        now_s = time.perf_counter()
        self._under_way -= 1
        self._told.latencies_ms.append((now_s - connection.since_s) * 1_000)
        self._statuses[status] += 1
        accepted = accepted_in(status, body, self._plan.batch)
        self._told.messages += accepted
        if accepted != max(self._plan.batch, 1):
            self._failed(f"status {status}: {body[:300].decode('utf-8', 'replace')}")
        if self._over.is_set():
            return
        if self._late:
            self._next(connection, self._late.popleft())
        elif not self._plan.rate_per_s and now_s < self._until_s:
            self._next(connection, now_s)
        else:
            self._idle.append(connection)
            self._all_sent = self._all_sent or not self._plan.rate_per_s
            if self._all_sent and not self._under_way:
                self._over.set()

    def _failed(self, error: str) -> None:
        """The run is over: its numbers mean nothing."""
        if not self._over.is_set():
            if len(self._told.errors) < MAX_ERRORS:
                self._told.errors.append(error)
            self._over.set()


def accepted_in(status: int, body: bytes, batch: int) -> int:
    """How many messages an answer accepts."""
    if not batch:
        return 1 if status == 202 else 0
    return int(json.loads(body)["accepted"]) if status == 200 else 0


def main() -> None:
    """A plan as JSON on standard input, what happened as JSON on standard output."""
    plan = Plan(**json.load(sys.stdin))
    told = uvloop.run(Load(plan).run())
    sys.stdout.write(json.dumps(asdict(told)))


if __name__ == "__main__":
    main()
