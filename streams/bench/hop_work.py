"""The hops themselves: each runs in a process of its own and tells what it used for how many records."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from prometheus_client import CollectorRegistry

from agents.context import Context
from domain.cascade.events import ReceiptArrived
from schemas.catalogue import codec
from schemas.rows import RateWindow
from schemas.topics import CASCADE, LEDGER, STATUS
from streams.bench.result import BenchError
from streams.kafka import COMMIT_EVERY_MS, MAX_RECORDS_A_BATCH, MAX_WAIT_MS, KafkaDriver
from streams.metrics import Metrics
from streams.node import Node
from streams.outlet import FLUSH_TIMEOUT_S, producer
from streams.parts import Parts
from tables.catalogue import WINDOWS

PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Hop:
    """What `records` records took: CPU of the process with all its threads, and time, from the first to the last."""

    records: int
    cpu_s: float
    wall_s: float

    @property
    def cpu_us(self) -> float:
        """CPU time of one record, in microseconds."""
        return self.cpu_s * 1e6 / self.records

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.wall_s


def bare_once(bootstrap: str, _folder: str, records: int) -> Hop:
    """Octets from one topic to another."""
    return bare(bootstrap, records, CASCADE.name, (STATUS.name,))


def bare_twice(bootstrap: str, _folder: str, records: int) -> Hop:
    """Octets from one topic to two others: as much as a hop with a changelog writes."""
    return bare(bootstrap, records, CASCADE.name, (STATUS.name, LEDGER.name))


def bare(bootstrap: str, records: int, source: str, topics: tuple[str, ...]) -> Hop:
    """The loop of our driver and nothing in it: poll, consume what is there, produce, flush, commit now and then."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap, "group.id": f"bench.{len(topics)}", "enable.auto.commit": False,
        "auto.offset.reset": "earliest", "fetch.wait.max.ms": MAX_WAIT_MS, "queued.max.messages.kbytes": 16 * 1024,
    })  # fmt: skip
    consumer.assign([TopicPartition(source, 0, 0)])
    sender = producer(bootstrap)
    done, cpu_s, began_s, commit_at = 0, 0.0, 0.0, 0.0
    deadline = time.monotonic() + PATIENCE_S
    while done < records:
        first = consumer.poll(MAX_WAIT_MS / 1000)
        if time.monotonic() > deadline:
            raise BenchError(f"{done} of {records} records in {PATIENCE_S:g} s")
        if first is None:
            continue
        if not done:
            cpu_s, began_s = time.process_time(), time.monotonic()
        for message in (first, *consumer.consume(MAX_RECORDS_A_BATCH - 1, 0)):
            if message.error() is not None:
                raise KafkaException(message.error())
            for topic in topics:
                sender.produce(topic, message.value(), message.key())
            done += 1
        if sender.flush(FLUSH_TIMEOUT_S):
            raise BenchError("records were not acknowledged")
        if time.monotonic() >= commit_at:
            commit_at = time.monotonic() + COMMIT_EVERY_MS / 1000
            consumer.commit(asynchronous=True)
    hop = Hop(done, time.process_time() - cpu_s, time.monotonic() - began_s)
    consumer.close()
    return hop


class Count:
    """A stateful agent: a row for each message, looked up, changed and kept, and one record out."""

    def __init__(self) -> None:
        self.done = 0
        self.cpu_s = 0.0
        self.began_s = 0.0

    def handle(self, value: Any, ctx: Context) -> None:
        """Keep one more for the message, and send the receipt on."""
        if not self.done:
            self.cpu_s, self.began_s = time.process_time(), time.monotonic()
        receipt: ReceiptArrived = value
        row = ctx.get(WINDOWS, receipt.message_id) or RateWindow((0,), 0, 0)
        ctx.put(WINDOWS, receipt.message_id, replace(row, counts=(row.counts[0] + 1,), offset=ctx.offset))
        ctx.emit(STATUS, receipt.message_id, receipt)
        self.done += 1


def ours(bootstrap: str, folder: str, records: int) -> Hop:
    """The Kafka driver with one stateful agent."""
    agent = Count()
    node = Node("count", "bench", reads=(CASCADE,), writes=(STATUS,), tables=(WINDOWS,), make=lambda _: agent)
    driver = KafkaDriver(
        (node,), Parts(b"salt"), codec(), bootstrap, Path(folder) / "tables", Metrics(CollectorRegistry()), "bench.ours"
    )
    found: list[Hop] = []
    deadline = time.monotonic() + PATIENCE_S

    def over() -> bool:
        if agent.done >= records:  # asked between two batches: the last one is durable
            cpu_s, wall_s = time.process_time() - agent.cpu_s, time.monotonic() - agent.began_s
            found.append(Hop(agent.done, cpu_s, wall_s))
            return True
        return time.monotonic() > deadline

    driver.run(over)
    return found[0] if found else Hop(agent.done, 1, 1)
