"""One bind to a simulated carrier that takes its time to answer: how much of its window is put to use."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import uvloop

from deploy.sandbox.carrier import SandboxCarrier
from deploy.sandbox.carrier_book import Book, SandboxConfig
from domain.delivery import AttemptDue, Outcome, ReceiptSeen, Sent
from egress.smpp.carrier import SmppCarrier
from egress.smpp.config import CarrierConfig
from streams.bench import codec
from streams.bench.apart import serving
from streams.bench.result import BenchError, Line, Result, Wanted
from streams.kafka import now_ms

DELAY_MS: Final = 20
WINDOWS: Final = (10, 50)
BOUND_WITHIN_S: Final = 10.0
POLL_S: Final = 0.01
DRAIN_MS: Final = 5_000
RECONNECT_MS: Final = 100
EXPIRES_MS: Final = 600_000

ATTEMPT: Final = AttemptDue(
    message_id="msg-bench", attempt=1, tenant_id="t-bench", step=0, channel="sms", carrier="bench", address="+4520123456",
    sender="Bench", sender_name="", subject="", text="Your parcel is here. Track it in our app.", html="", created_at_ms=0,
    expires_at_ms=0, segments=1, price_micros=0, cost_micros=0, trace_id="",
)  # fmt: skip


def run(wanted: Wanted) -> Result:
    """As many messages as one bind hands over, with each window; the ceiling is the window divided by the wait."""
    lines: list[Line] = []
    pdu = codec.run(replace(wanted, seconds=min(wanted.seconds, 1.0)))
    pdu_us = next(line.value for line in pdu.lines if line.unit == codec.CPU_UNIT)
    config = SandboxConfig(delay_ms=DELAY_MS)
    for window in WINDOWS:
        with serving(simulated, config) as server:
            sent, took_s, cpu_s = uvloop.run(_hand_over(server.port, config, window, wanted.seconds))
            taken = server.stop()
        if taken != sent:
            raise BenchError(f"{sent} messages were handed over and {taken} taken")
        part = f"window {window}"
        lines.append(Line("handed over", sent / took_s, "messages/s", part, window * 1_000 / DELAY_MS))
        lines.append(Line("CPU of the egress' carrier", cpu_s * 1e6 / sent, "µs a message", part, 2 * pdu_us))
    return Result(
        "carrier",
        f"submit_sm over one bind, answered after {DELAY_MS} ms, receipts on, no Kafka;"
        " bare: window divided by wait, and the codec alone",
        tuple(lines),
    )


async def simulated(say: Callable[[int], None], stopped: asyncio.Event, config: SandboxConfig) -> int:
    """The simulated carrier; its report is how many segments it took."""
    carrier = SandboxCarrier(config, Book())
    say(await carrier.start())
    await stopped.wait()
    await carrier.stop()
    return carrier.book.counts["accepted"]


async def _hand_over(port: int, config: SandboxConfig, window: int, seconds: float) -> tuple[int, float, float]:
    """Messages, seconds, CPU seconds."""
    account = CarrierConfig("bench", "127.0.0.1", port, config.system_id, config.password, window=window)
    carrier = SmppCarrier(account, _seen, backoff=lambda _: RECONNECT_MS, now_ms=now_ms)
    failures: list[str] = []
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(carrier.run())
        await _bound(carrier)
        cpu_s, began_s = time.process_time(), time.perf_counter()
        until_s = began_s + seconds
        async with asyncio.TaskGroup() as group:
            senders = [group.create_task(_send(carrier, until_s, failures)) for _ in range(2 * window)]
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
        await carrier.drain(DRAIN_MS)
        running.cancel()
    if failures:
        raise BenchError(f"a message was not taken: {failures[0]}")
    return sum(task.result() for task in senders), took_s, cpu_s


async def _bound(carrier: SmppCarrier) -> None:
    """Wait for the bind, but not for ever: without one the first message says so."""
    deadline_s = time.perf_counter() + BOUND_WITHIN_S
    while not carrier.ready and time.perf_counter() < deadline_s:  # noqa: ASYNC110 - it has no event to wait for
        await asyncio.sleep(POLL_S)


async def _send(carrier: SmppCarrier, until_s: float, failures: list[str]) -> int:
    """One message after the other, so that two for each place in the window are there; how many were taken."""
    sent = 0
    while not failures and time.perf_counter() < until_s:
        outcome: Outcome = await carrier.submit(replace(ATTEMPT, expires_at_ms=now_ms() + EXPIRES_MS))
        if not isinstance(outcome, Sent):
            failures.append(outcome.detail)
            break
        sent += 1
    return sent


async def _seen(_receipt: ReceiptSeen) -> None:
    """Receipts are taken and nothing comes of them."""
