"""What an agent is given with each record: its place, the tables of its partition, the configuration, and a way out."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from domain.tenant import CarrierStatus
from schemas.topics import Topic
from tables.catalogue import Table
from tables.config import ConfigTable

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Edge:
    """A fused edge: records pass as calls inside one batch. `key` is what its records are keyed by."""

    name: str
    key: str


class Context(Protocol):
    """The record's surroundings. Everything put or emitted becomes durable with the batch, or not at all."""

    @property
    def offset(self) -> int:
        """The offset of the record."""
        ...

    @property
    def config(self) -> ConfigTable:
        """The configuration."""
        ...

    @property
    def carriers(self) -> dict[str, CarrierStatus]:
        """How the carriers do."""
        ...

    def get(self, table: Table[R], key: str) -> R | None:
        """A row."""
        ...

    def put(self, table: Table[R], key: str, row: R) -> None:
        """Save a row."""
        ...

    def delete(self, table: Table[R], key: str) -> None:
        """Remove a row."""
        ...

    def emit(self, to: Topic | Edge, key: str, value: Any, partition: int | None = None) -> None:
        """Send a value on; `partition` only for topics that are addressed by partition."""
        ...

    def encode(self, value: Any) -> bytes:
        """The octets of a value; a row that is encoded here is not encoded again when it is saved."""
        ...

    def decode(self, octets: bytes) -> Any:
        """The value of octets; saved as it is, it keeps its octets."""
        ...

    def catch_up(self, version: int) -> None:
        """Read the configuration until it has at least this version; an exception when it does not come in time."""
        ...

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Count something under a declared metric name."""
        ...

    def gauge(self, metric: str, value: float, **labels: str) -> None:
        """Set a gauge under a declared metric name."""
        ...

    def observe(self, metric: str, value: float, **labels: str) -> None:
        """Observe a value under a declared metric name."""
        ...


class Agent(Protocol):
    """A plain function of a record: load, decide, save, emit."""

    def handle(self, value: Any, ctx: Context) -> None:
        """Do what the record asks for. An exception ends the process; the record is done again."""
        ...


@runtime_checkable
class SummingAgent(Protocol):
    """An agent that also wants to know when a batch is over, to tell what it summed up."""

    def finish(self, ctx: Context) -> None:
        """All records of the batch have been handled."""
        ...
