"""The load generator, a process of its own: a REST client on kept-alive connections, as cheap as Python can be.

Closed loop (rate 0): each connection sends the next request when it has its answer. Open loop: requests fall due at the
rate, whatever the answers do, and a latency counts from the moment at which its request was due, so that a gateway which
stalls is not excused from the requests that it kept waiting.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, cast

import orjson
import uvloop

from streams.bench.answers import Answer, Answers, NoAnswerError
from streams.bench.apart import apart
from streams.bench.plan import Plan, Told, accepted_in, requests_of
from streams.bench.result import BenchError

MAX_LATE: Final = 20_000
"""Requests that are due and wait for a connection: beyond it the generator gives up."""
ANSWER_TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 30.0
MAX_ERRORS: Final = 5
PATIENCE_S: Final = 60.0


class Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, answered: "Callable[[Connection, Answer], None]", failed: Callable[[str], None]) -> None:
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
        for answer in answers:
            self._answered(self, answer)

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

    def _answered(self, connection: Connection, answer: Answer) -> None:
        now_s = time.perf_counter()
        self._under_way -= 1
        self._note(answer, (now_s - connection.since_s) * 1_000)
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

    def _note(self, answer: Answer, took_ms: float) -> None:
        """Count an answer; one that neither accepts nor is tolerated ends the run."""
        told, plan = self._told, self._plan
        self._statuses[answer.status] += 1
        accepted = accepted_in(answer.status, answer.body, plan.batch)
        told.messages += accepted
        if accepted == max(plan.batch, 1):
            told.latencies_ms.append(took_ms)
            if plan.keep:
                told.ids.append(orjson.loads(answer.body)["message_id"])
                told.accepted_ms.append(time.time_ns() // 1_000_000)
        elif answer.status in plan.tolerated:
            told.refused_ms.append(took_ms)
            told.without_retry_after += not answer.retry_after
        else:
            self._failed(f"status {answer.status}: {answer.body[:300].decode('utf-8', 'replace')}")

    def _failed(self, error: str) -> None:
        """The run is over: its numbers mean nothing."""
        if not self._over.is_set():
            if len(self._told.errors) < MAX_ERRORS:
                self._told.errors.append(error)
            self._over.set()


def load(plan: Plan) -> Told:
    """Carry a plan out."""
    return uvloop.run(Load(plan).run())


def generate(plan: Plan) -> Told:
    """What the load generator told, from a process of its own; BenchError when a request was not accepted or tolerated."""
    return checked(apart(load, plan, patience_s=plan.seconds + PATIENCE_S))


def checked(told: Told) -> Told:
    """The same; BenchError when something went wrong."""
    if told.errors:
        raise BenchError("; ".join(told.errors))
    if not told.messages:
        raise BenchError("nothing was accepted")
    return told
