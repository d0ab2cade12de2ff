"""The load generator against a gateway that answers as told: both loops, and what ends a run."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from streams.bench.load import Load
from streams.bench.plan import Plan, Told

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
NAMED = b'HTTP/1.1 202 Accepted\r\nContent-Length: 23\r\n\r\n{"message_id":"msg-17"}'
LATER = b"HTTP/1.1 503 Full\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 429 Too Many\r\nContent-Length: 2\r\n\r\n{}"
PATIENCE_S = 10.0


@asynccontextmanager
async def gateway(answer: Callable[[int], bytes]) -> AsyncIterator[int]:
    """The port of a server that answers request number n with `answer(n)`, nothing for a hang-up."""
    numbers = iter(range(1_000_000))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))
                octets = answer(next(numbers))
                if not octets:
                    break
                writer.write(octets)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def load(port: int, rate_per_s: float = 0, seconds: float = 0.3, **more: Any) -> Told:
    async with asyncio.timeout(PATIENCE_S):
        return await Load(Plan("127.0.0.1", port, 4, seconds, rate_per_s, 0, ("key",), **more)).run()


async def test_a_closed_loop_sends_as_long_as_it_is_answered() -> None:
    async with gateway(lambda _: ACCEPTED) as port:
        told = await load(port)

    assert told.errors == []
    assert told.requests == told.messages == len(told.latencies_ms) == told.statuses[202] > 20
    assert told.ended_ms - told.began_ms >= 290


async def test_an_open_loop_sends_at_its_rate() -> None:
    async with gateway(lambda _: ACCEPTED) as port:
        told = await load(port, rate_per_s=100)

    assert told.errors == []
    assert told.messages == told.requests == 30


async def test_a_refusal_ends_the_run_with_an_error() -> None:
    async with gateway(lambda number: REFUSED if number == 9 else ACCEPTED) as port:
        told = await load(port, seconds=60)

    assert told.errors == ["status 429: {}"]


async def test_a_connection_that_is_lost_ends_the_run_with_an_error() -> None:
    async with gateway(lambda number: b"" if number == 9 else ACCEPTED) as port:
        told = await load(port, seconds=60)

    assert told.errors == ["a connection was lost: closed by the gateway"]


async def test_refusals_that_are_tolerated_are_counted_apart_from_what_is_accepted() -> None:
    answers = (NAMED, LATER, REFUSED)
    async with gateway(lambda number: answers[number % 3]) as port:
        told = await load(port, rate_per_s=100, tolerated=frozenset({429, 503}), keep=True)

    assert told.errors == []
    assert told.statuses == {202: 10, 503: 10, 429: 10}
    assert told.ids == ["msg-17"] * 10
    assert len(told.accepted_ms) == len(told.latencies_ms) == told.messages == 10
    assert len(told.refused_ms) == 20
    assert told.without_retry_after == 10
