"""The floor of the path: its bare parts, measured in the same run, and their sum for each of its figures.

What a message needs at the very least: its request is read and answered, nine records are written by one process and read
by another, and four PDUs are encoded or decoded. Whatever the path costs beyond that is what Hermes adds.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from schemas.topics import Topic
from streams.admin import ensure_topics
from streams.bench import codec, echo
from streams.bench.apart import apart, serving
from streams.bench.hop_work import Hop, bare
from streams.bench.load import generate
from streams.bench.plan import Plan
from streams.bench.processes import usage
from streams.bench.result import BenchError, Wanted, quantile
from streams.outlet import producer

HOPS: Final[Mapping[str, tuple[str, ...]]] = {
    "gateway": ("verdict",),
    "pipeline": ("submission", "accepted", "sent", "receipt", "settle"),
    "egress": ("attempt", "carrier's receipt"),
    "archive": ("status",),
}
"""The records that each process must read, and answer with at least one of its own, for each message."""
IN_TURN: Final = 5
"""Hops from the 202 to the final state: submission, accepted, attempt, receipt, status."""
ANSWER_HOPS: Final = 2
PDU_PAIRS: Final = 2
"""Encoded and decoded PDUs: submit_sm and its response, deliver_sm and its response."""
RECEIPT_MS: Final = 20
"""The simulated carrier's own wait before its receipt."""
SECONDS: Final = 3.0
RECORDS: Final = 20_000
RECORD_OCTETS: Final = 500
PINGS: Final = 300
PATIENCE_S: Final = 60.0
PING_S: Final = 5.0
SOURCE = Topic("hermes.bench.floor.v1", "number", (), spread="single")
TARGET = Topic("hermes.bench.floor-out.v1", "number", (), spread="single")


@dataclass(frozen=True, slots=True)
class Bare:
    """A bare hop and a bare codec: CPU microseconds a record, of the broker too, and a pair of PDUs, and milliseconds a hop."""

    hop_cpu_us: float
    broker_cpu_us: float
    pdu_cpu_us: float
    hop_p50_ms: float
    hop_p99_ms: float


@dataclass(frozen=True, slots=True)
class Echo:
    """A bare answer of the same body over as many connections: CPU microseconds a message, milliseconds a request."""

    cpu_us: float
    load_cpu_us: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Floor:
    """What the path would cost if it were nothing but its bare parts."""

    bare: Bare
    echo: Echo

    def cpu_us(self, process: str) -> float:
        """CPU microseconds of a message in a process; zero for one that need not do anything."""
        hops = len(HOPS.get(process, ())) * self.bare.hop_cpu_us
        own = {
            "gateway": self.echo.cpu_us,
            "egress": PDU_PAIRS * self.bare.pdu_cpu_us,
            "kafka": sum(map(len, HOPS.values())) * self.bare.broker_cpu_us,
        }
        return hops + own.get(process, 0.0)

    @property
    def together_us(self) -> float:
        """CPU microseconds of a message in all processes of Hermes."""
        return sum(self.cpu_us(process) for process in HOPS)

    @property
    def rate(self) -> float:
        """Messages a second if all cores did nothing but this, with the broker's and the load generator's part."""
        return (os.cpu_count() or 1) * 1e6 / (self.together_us + self.cpu_us("kafka") + self.echo.load_cpu_us)

    @property
    def answer_ms(self) -> tuple[float, float]:
        """p50 and p99 of an answer; the p99 of a sum is at most the sum of the p99."""
        return (
            self.echo.p50_ms + ANSWER_HOPS * self.bare.hop_p50_ms,
            self.echo.p99_ms + ANSWER_HOPS * self.bare.hop_p99_ms,
        )

    @property
    def final_ms(self) -> tuple[float, float]:
        """p50 and p99 from the gateway to the final state, with the carrier's own wait."""
        return IN_TURN * self.bare.hop_p50_ms + RECEIPT_MS, IN_TURN * self.bare.hop_p99_ms + RECEIPT_MS


def bare_parts(bootstrap: str, broker: int, wanted: Wanted) -> Bare:
    """A bare hop on topics of its own on this broker, whose process id is given, and the codec."""
    ensure_topics(bootstrap, (SOURCE, TARGET), 1)
    pings = apart(ping, bootstrap, patience_s=PATIENCE_S)
    _fill(bootstrap)
    before = usage("kafka", broker)
    hop: Hop = apart(bare, bootstrap, RECORDS, SOURCE.name, (TARGET.name,), patience_s=PATIENCE_S)
    broker_us = (usage("kafka", broker).cpu_s - before.cpu_s) * 1e6 / RECORDS
    pdu = codec.run(replace(wanted, seconds=min(wanted.seconds, 1.0)))
    pdu_us = next(line.value for line in pdu.lines if line.unit == codec.CPU_UNIT)
    return Bare(hop.cpu_us, broker_us, pdu_us, quantile(pings, 0.5), quantile(pings, 0.99))


def bare_echo(plan: Plan) -> Echo:
    """The same plan against the echo."""
    plan = replace(plan, seconds=min(plan.seconds, SECONDS))
    with serving(echo.serve, plan) as server:
        before = usage("echo", server.pid)
        told = generate(replace(plan, port=server.port))
        cpu_s = usage("echo", server.pid).cpu_s - before.cpu_s
    return Echo(
        cpu_s * 1e6 / told.messages, told.cpu_s * 1e6 / told.messages,
        quantile(told.latencies_ms, 0.5), quantile(told.latencies_ms, 0.99),
    )  # fmt: skip


def ping(bootstrap: str) -> list[float]:
    """How long single records took from the producer to a consumer that waits for them, in milliseconds."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench.floor", "enable.auto.commit": False})
    reader.assign([TopicPartition(TARGET.name, 0, 0)])
    sender = producer(bootstrap, 0)
    took: list[float] = []
    try:
        for number in range(PINGS + 1):
            began = time.perf_counter()
            sender.produce(TARGET.name, b"." * RECORD_OCTETS)
            sender.flush(PING_S)
            message = reader.poll(PING_S)
            if message is None or message.error() is not None:
                raise BenchError("a record did not come back from Kafka")
            if number:  # the first one pays for the connections
                took.append((time.perf_counter() - began) * 1_000)
    finally:
        reader.close()
    return took


def _fill(bootstrap: str) -> None:
    sender = producer(bootstrap)
    for number in range(RECORDS):
        sender.produce(SOURCE.name, b"." * RECORD_OCTETS, str(number).encode())
    if sender.flush(PATIENCE_S):
        raise BenchError(f"Kafka did not take {RECORDS} records")
