"""One Mta in a process of its own that sends signed mails to one host: as many as it can, or at a rate."""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Final

import uvloop
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from domain.delivery import AttemptDue, Outcome, Sent
from egress.mta.config import MtaConfig
from egress.mta.dkim import DkimKey
from egress.mta.mta import Mta
from streams.bench.result import BenchError
from streams.kafka import now_ms

DOMAIN: Final = "bench.test"
RSA_BITS: Final = 2_048
OCTETS: Final = 5_000
AT_ONCE: Final = 32
CONNECTIONS: Final = 10
EXPIRES_MS: Final = 600_000
LINE: Final = "Your parcel is on its way to you, and this line says so at some length.\n"

ATTEMPT: Final = AttemptDue(
    message_id="msg-bench", attempt=1, tenant_id="t-bench", step=0, channel="email", carrier="bench", address="ann@sink.test",
    sender=f"news@{DOMAIN}", sender_name="Bench", subject="Your parcel", text=LINE * (OCTETS // len(LINE)), html="",
    created_at_ms=0, expires_at_ms=0, segments=1, price_micros=0, cost_micros=0, trace_id="",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mailed:
    """How many mails were taken, in which time, for how much CPU of the process."""

    mails: int
    took_s: float
    cpu_s: float


def mail_out(port: int, seconds: float, rate_per_s: float) -> Mailed:
    """Send to the host on `port`; zero is as fast as it goes. BenchError when a mail is not taken."""
    return uvloop.run(_send_all(port, seconds, rate_per_s))


async def _send_all(port: int, seconds: float, rate_per_s: float) -> Mailed:
    private = rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    config = MtaConfig(
        "out.bench.test",
        mx_overrides={"*": f"127.0.0.1:{port}"},
        dkim_keys=(DkimKey.parse(DOMAIN, "bench", pem),),
        connections_per_host=CONNECTIONS,
    )
    mta = Mta(config)
    failures: list[str] = []
    for number in range(CONNECTIONS):
        await _send(mta, number, failures)
    cpu_s, began_s = time.process_time(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        if rate_per_s:
            count = round(seconds * rate_per_s)
            for number in range(count):
                group.create_task(_send_at(mta, number, began_s + number / rate_per_s, failures))
            tasks: list[asyncio.Task[int]] = []
        else:
            tasks = [group.create_task(_send_on(mta, began_s + seconds, failures)) for _ in range(AT_ONCE)]
            count = 0
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    await mta.close()
    if failures:
        raise BenchError(f"a mail was not taken: {failures[0]}")
    return Mailed(count + sum(task.result() for task in tasks), took_s, cpu_s)


async def _send_on(mta: Mta, until_s: float, failures: list[str]) -> int:
    sent = 0
    while not failures and time.perf_counter() < until_s:
        await _send(mta, sent, failures)
        sent += 1
    return sent


async def _send_at(mta: Mta, number: int, due_s: float, failures: list[str]) -> None:
    await asyncio.sleep(max(due_s - time.perf_counter(), 0))
    await _send(mta, number, failures)


async def _send(mta: Mta, number: int, failures: list[str]) -> None:
    attempt = replace(ATTEMPT, message_id=f"msg-{number:08}", expires_at_ms=now_ms() + EXPIRES_MS)
    outcome: Outcome = await mta.send(attempt)
    if not isinstance(outcome, Sent):
        failures.append(outcome.detail)
