"""The load generator for SMTP, a process of its own: each connection hands in one mail after the other (RFC 5321)."""

import asyncio
import base64
import time
from dataclasses import dataclass, field
from typing import Final

import uvloop

from ingress.ids import Uuid7
from streams.bench.result import BenchError

OCTETS: Final = 5_000
HELLO_TIMEOUT_S: Final = 10.0
REPLY_TIMEOUT_S: Final = 30.0
MAX_REPLY_LINES: Final = 50
LINE: Final = b"Your parcel is on its way to you, and this line says so at some length.\r\n"
TEXT: Final = LINE * (OCTETS // len(LINE))


@dataclass(frozen=True, slots=True)
class MailPlan:
    """Over how many connections, how long, from and to whom; an empty `user` does not log in."""

    port: int
    connections: int
    seconds: float
    sender: str
    recipient: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MailTold:
    """How many were accepted, when it began (milliseconds since 1970), in which time, how long each took, generator's CPU."""

    mails: int
    began_ms: int
    took_s: float
    latencies_ms: list[float]
    cpu_s: float


def smtp_load(plan: MailPlan) -> MailTold:
    """Carry the plan out; BenchError for a reply that is not the one that accepts."""
    return uvloop.run(_load(plan))


async def _load(plan: MailPlan) -> MailTold:
    failures: list[str] = []
    latencies_ms: list[float] = []
    clients = [await _client(plan) for _ in range(plan.connections)]
    cpu_s, began_s, began_ms = time.process_time(), time.perf_counter(), time.time_ns() // 1_000_000
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.send_on(began_s + plan.seconds, latencies_ms, failures))
    told = MailTold(
        len(latencies_ms), began_ms, time.perf_counter() - began_s, latencies_ms, time.process_time() - cpu_s
    )
    for client in clients:
        client.close()
    if failures:
        raise BenchError(failures[0])
    return told


class Client:
    """One connection."""

    def __init__(self, plan: MailPlan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._new_id = Uuid7()
        self._plan = plan
        self._reader = reader
        self._writer = writer

    async def greet(self) -> None:
        """Be greeted, say hello, log in; BenchError."""
        plan = self._plan
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            replies = [await self._reply(), await self._say(b"EHLO load.test")]
            if plan.user:
                plain = base64.b64encode(f"\0{plan.user}\0{plan.password}".encode())
                replies.append(await self._say(b"AUTH PLAIN " + plain))
        if any(not reply.startswith("2") for reply in replies):
            raise BenchError(f"the server did not let the load generator in: {replies[-1]}")

    async def send_on(self, until_s: float, latencies_ms: list[float], failures: list[str]) -> None:
        """Mails until the time is over or something fails, which is then noted."""
        try:
            while not failures and time.perf_counter() < until_s:
                since_s = time.perf_counter()
                async with asyncio.timeout(REPLY_TIMEOUT_S):
                    refused = await self._mail()
                if refused:
                    failures.append(refused)
                    return
                latencies_ms.append((time.perf_counter() - since_s) * 1_000)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            failures.append(f"a connection broke: {type(error).__name__}")

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _mail(self) -> str:
        """One transaction; the reply that refuses it, or nothing."""
        plan = self._plan
        message = (
            f"From: Bench <{plan.sender}>\r\nTo: {plan.recipient}\r\nSubject: Your parcel\r\n"
            f"Message-ID: <{self._new_id()}@load.test>\r\n\r\n"
        ).encode() + TEXT
        for line, wanted in (
            (f"MAIL FROM:<{plan.sender}>".encode(), "2"),
            (f"RCPT TO:<{plan.recipient}>".encode(), "2"),
            (b"DATA", "3"),
            (message + b".", "2"),
        ):
            reply = await self._say(line)
            if not reply.startswith(wanted):
                return reply
        return ""

    async def _say(self, line: bytes) -> str:
        self._writer.write(line + b"\r\n")
        await self._writer.drain()
        return await self._reply()

    async def _reply(self) -> str:
        """The last line of a reply."""
        for _ in range(MAX_REPLY_LINES):
            line = (await self._reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip()
            if line[3:4] != "-":
                return line
        raise BenchError("a reply did not end")


async def _client(plan: MailPlan) -> Client:
    async with asyncio.timeout(HELLO_TIMEOUT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", plan.port)
    client = Client(plan, reader, writer)
    await client.greet()
    return client
