"""Evidence besides the API: the dead-letter topic, the ledger in PostgreSQL, the metrics of the roles."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from domain.cascade.commands import Exhausted
from egress.archive.ledger import LedgerCheck, verify
from schemas.catalogue import codec
from schemas.topics import DLQ
from tables.changelog import changelog_reader

READ_TIMEOUT_S = 10.0
METRICS_TIMEOUT_S = 5.0
BATCH_RECORDS = 500


class Evidence(Protocol):
    """What is true of a stack, from elsewhere than its API."""

    async def dead_letters(self) -> dict[str, Exhausted]:
        """Everything on the dead-letter queue, by message id; TimeoutError when it cannot be read in time."""

    async def ledger(self, tenant_id: str) -> LedgerCheck | None:
        """The sums of a tenant's entries, None when it has none."""

    async def metric(self, role: str, name: str, labels: Mapping[str, str]) -> float:
        """The value of one counter of a role, zero while it has none; aiohttp's ClientError when the role is away."""


@dataclass(frozen=True, slots=True)
class StackEvidence:
    """The evidence of a running stack; `metrics` are the addresses of the roles."""

    session: aiohttp.ClientSession
    bootstrap: str
    dsn: str = field(repr=False)
    metrics: Mapping[str, str] = field(default_factory=dict)

    async def dead_letters(self) -> dict[str, Exhausted]:
        """See Evidence."""
        return await asyncio.to_thread(_dead_letters, self.bootstrap)

    async def ledger(self, tenant_id: str) -> LedgerCheck | None:
        """See Evidence."""
        async with asyncio.timeout(READ_TIMEOUT_S):
            found = await verify(self.dsn, tenant_id)
        return found[0] if found else None

    async def metric(self, role: str, name: str, labels: Mapping[str, str]) -> float:
        """See Evidence."""
        async with (
            asyncio.timeout(METRICS_TIMEOUT_S),
            self.session.get(f"http://{self.metrics[role]}/metrics") as response,
        ):
            return counter_in(await response.text(), name, labels)


def counter_in(exposition: str, name: str, labels: Mapping[str, str]) -> float:
    """The sum of the samples called `name` that have these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def _dead_letters(bootstrap: str) -> dict[str, Exhausted]:
    reader = changelog_reader(bootstrap, 100)
    records, found = codec(), dict[str, Exhausted]()
    try:
        unread = set(reader.list_topics(DLQ.name, timeout=READ_TIMEOUT_S).topics[DLQ.name].partitions)
        reader.assign([TopicPartition(DLQ.name, number, 0) for number in unread])
        deadline = time.monotonic() + READ_TIMEOUT_S
        while unread:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{DLQ.name} could not be read within {READ_TIMEOUT_S:.0f} s")
            for message in reader.consume(BATCH_RECORDS, 0.1):
                error, value = message.error(), message.value()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition())
                elif error is not None:
                    raise KafkaException(error)
                elif value is not None and isinstance(dead := records.decode(value), Exhausted):
                    found[dead.message_id] = dead
    finally:
        reader.close()
    return found
