"""When each message came to its end, read from the status topic after the run, so that counting costs the run nothing."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import fastavro
from confluent_kafka import Consumer, TopicPartition

from domain.cascade.commands import StatusChanged
from schemas.derive import schema_of
from schemas.topics import STATUS
from streams.bench.result import BenchError
from tables.changelog import changelog_reader

WIRE_HEAD_OCTETS: Final = 5
BATCH_RECORDS: Final = 1_000
POLL_S: Final = 0.2
ASK_TIMEOUT_S: Final = 10.0
LAST_FIELD: Final = "at_ms"
"""A status is read up to here: what follows it in the record is the whole cascade, twenty times as long."""


@dataclass(slots=True)
class Ends:
    """When each message ended, milliseconds since 1970, by its id."""

    at_ms: dict[str, int] = field(default_factory=dict)
    not_delivered: int = 0

    @property
    def took_ms(self) -> list[float]:
        """How long each took from the gateway to its end."""
        return [at - made_ms(message_id) for message_id, at in self.at_ms.items()]

    @property
    def last_ms(self) -> int:
        """When the last one ended."""
        return max(self.at_ms.values(), default=0)

    def of(self, ids: Iterable[str]) -> "Ends":
        """Those of these messages."""
        return Ends({message_id: self.at_ms[message_id] for message_id in ids})


class Finals:
    """Reads the status topic of one lane onwards."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self._schema = head_schema()
        self._consumer: Consumer = changelog_reader(bootstrap, 100)
        self._partitions = partitions
        self._at: dict[int, int] = {}

    def mark(self) -> None:
        """From now on only what comes after this moment is read."""
        for number in range(self._partitions):
            place = TopicPartition(STATUS.name, number)
            _, self._at[number] = self._consumer.get_watermark_offsets(place, timeout=ASK_TIMEOUT_S)
        self._consumer.unassign()

    def collect(self, wanted: int, patience_s: float) -> Ends:
        """The ends of `wanted` messages since the mark; BenchError when they do not come, or when there are more."""
        ends = self._read(lambda found: wanted - len(found.at_ms), patience_s)
        if len(ends.at_ms) > wanted or ends.not_delivered:
            raise BenchError(f"{len(ends.at_ms)} of {wanted} messages ended, {ends.not_delivered} not delivered")
        return ends

    def collect_ids(self, ids: Iterable[str], patience_s: float) -> Ends:
        """The ends of all that ended since the mark, once those of `ids` are among them; BenchError when one does not come."""
        missing = set(ids)

        def left(found: Ends) -> int:
            missing.difference_update(found.at_ms)
            return len(missing)

        ends = self._read(left, patience_s)
        if ends.not_delivered:
            raise BenchError(f"{ends.not_delivered} messages were not delivered")
        return ends

    def close(self) -> None:
        """Release the consumer."""
        self._consumer.close()

    def _read(self, left: Callable[[Ends], int], patience_s: float) -> Ends:
        """What ended since the mark, until nothing is left to come."""
        self._consumer.assign([TopicPartition(STATUS.name, number, at) for number, at in self._at.items()])
        ends = Ends()
        deadline = time.monotonic() + patience_s
        while (missing := left(ends)) > 0:
            for message in self._consumer.consume(BATCH_RECORDS, POLL_S):
                value = message.value()
                if message.error() is None and value is not None:
                    self._take(value, message.timestamp()[1], ends)
            if time.monotonic() > deadline:
                raise BenchError(f"{missing} messages did not come to an end in {patience_s:g} s")
        return ends

    def _take(self, value: bytes, at_ms: int, ends: Ends) -> None:
        status = head_of(value, self._schema)
        if status["final"] and status["message_id"] not in ends.at_ms:
            ends.at_ms[status["message_id"]] = at_ms
            ends.not_delivered += status["event"] != "delivered"


def head_schema() -> Any:
    """The schema of the first fields of a status."""
    whole = schema_of(StatusChanged)
    names = [f["name"] for f in whole["fields"]]
    return fastavro.parse_schema({**whole, "fields": whole["fields"][: names.index(LAST_FIELD) + 1]})


def head_of(value: bytes, schema: Any) -> dict[str, Any]:
    """The first fields of a status on the wire; what follows them is not looked at."""
    found: Any = fastavro.schemaless_reader(BytesIO(value[WIRE_HEAD_OCTETS:]), schema, None)
    return dict(found)


def made_ms(message_id: str) -> int:
    """When the gateway made a message: its id is a UUIDv7, which begins with the milliseconds since 1970 (RFC 9562)."""
    return int(message_id.removeprefix("msg-").replace("-", "")[:12], 16)
