"""A node of the topology: one agent with what it reads, writes and keeps, as data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from agents.context import Agent, Edge
from schemas.topics import Topic
from streams.parts import Parts
from tables.catalogue import Table

DurableFirst = Literal["state", "outputs"]
"""What a batch makes durable first.

`outputs`: what is emitted is a function of state and record, so a crash in between repeats it and state never runs ahead
of what it caused. `state`: the agent decides on facts that may change; the decision is kept first and told after, and a
repeated record tells the kept decision again.
"""


SMPP = "hermes.smpp.{carrier}.v1"
MTA = "hermes.mta.{pool}.v1"
"""Families of topics, one a carrier or pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process around the pipeline, with the topics that it reads and writes."""

    name: str = field(kw_only=False)
    reads: tuple[Topic, ...]
    writes: tuple[Topic, ...]
    fans_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One agent. `reads` and `writes` name topics and fused edges, `tables` what it owns, `fans_out` families of topics."""

    name: str = field(kw_only=False)
    group: str = field(kw_only=False)
    reads: tuple[Topic | Edge, ...]
    writes: tuple[Topic | Edge, ...]
    make: Callable[[Parts], Agent]
    tables: tuple[Table[Any], ...] = ()
    durable_first: DurableFirst = "state"
    fans_out: tuple[str, ...] = ()


def source_topics(nodes: Sequence[Node]) -> tuple[str, ...]:
    """The topics that the agents read; fused edges are no topics."""
    return tuple(source.name for node in nodes for source in node.reads if isinstance(source, Topic))
