"""Proves the topology sound: each topic has a writer and a reader, keys agree, each table has one owner, no edge loops."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agents.context import Edge
from schemas.topics import FIXED, Topic
from streams.node import Node, Process
from streams.topology import AROUND, TOPOLOGY
from tables.catalogue import TABLES, Table


@dataclass(frozen=True, slots=True)
class Plan:
    """What is checked: the agents, the processes around them, the catalogue of topics, and that of tables."""

    nodes: Sequence[Node]
    around: Sequence[Process]
    topics: Sequence[Topic]
    tables: Sequence[Table[Any]]


HERMES = Plan(TOPOLOGY, AROUND, FIXED, TABLES)


def check(plan: Plan = HERMES) -> list[str]:
    """A sentence for each thing that is wrong with the topology; empty for a sound one."""
    return [*_names(plan), *_topics(plan), *_families(plan), *_edges(plan), *_keys(plan), *_tables(plan), *_loops(plan)]


def _names(plan: Plan) -> Iterator[str]:
    for what, names in (
        ("agents", [n.name for n in plan.nodes]),
        ("processes", [p.name for p in plan.around]),
        ("topics", [t.name for t in plan.topics]),
        ("tables", [t.name for t in plan.tables]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{count} {what} are called {name}"


def _topics(plan: Plan) -> Iterator[str]:
    everyone: tuple[Node | Process, ...] = (*plan.nodes, *plan.around)
    read = {t.name for one in everyone for t in one.reads if isinstance(t, Topic)}
    written = {t.name for one in everyone for t in one.writes if isinstance(t, Topic)}
    changelogs = {t.changelog.name for t in plan.tables}
    known = {t.name for t in plan.topics}
    for name in sorted((read | written | changelogs) - known):
        yield f"the topic {name} is used and is not in the catalogue"
    for topic in plan.topics:
        if topic.name in changelogs:
            if topic.name in read | written:
                yield f"the changelog {topic.name} is read or written by an agent; only its tables may"
            continue
        if topic.name not in written:
            yield f"nobody writes the topic {topic.name}"
        if topic.name not in read:
            yield f"nobody reads the topic {topic.name}"


def _families(plan: Plan) -> Iterator[str]:
    out = {family for node in plan.nodes for family in node.fans_out}
    into = {family for process in plan.around for family in process.fans_in}
    for family in sorted(out - into):
        yield f"nobody reads the topics {family}"
    for family in sorted(into - out):
        yield f"nobody writes the topics {family}"


def _edges(plan: Plan) -> Iterator[str]:
    readers = [(source.name, node) for node in plan.nodes for source in node.reads]
    for name, count in Counter(name for name, _ in readers).items():
        if count > 1:
            agents = ", ".join(node.name for source, node in readers if source == name)
            yield f"{name} has {count} agents that read it: {agents}"
    read = dict(readers)
    written = {(target.name, node.name) for node in plan.nodes for target in node.writes if isinstance(target, Edge)}
    groups = {node.name: node.group for node in plan.nodes}
    for edge, writer in sorted(written):
        if edge not in read:
            yield f"{writer} writes the edge {edge}, which nobody reads"
        elif read[edge].group != groups[writer]:
            yield f"the edge {edge} leads from the group {groups[writer]} into the group {read[edge].group}"
    names = {edge for edge, _ in written}
    for node in plan.nodes:
        for source in node.reads:
            if isinstance(source, Edge) and source.name not in names:
                yield f"{node.name} reads the edge {source.name}, which nobody writes"


def _keys(plan: Plan) -> Iterator[str]:
    for node in plan.nodes:
        keys = sorted({source.key for source in node.reads})
        if len(keys) != 1:
            yield f"{node.name} reads what is keyed by {' and by '.join(keys) or 'nothing'}"
            continue
        for target in node.writes:
            if isinstance(target, Edge) and target.key != keys[0]:
                yield f"{node.name} is keyed by {keys[0]} and writes the edge {target.name}, keyed by {target.key}"
        for source in node.reads:
            if isinstance(source, Topic) and source.spread != "keyed":
                yield f"{node.name} reads {source.name}, which has not the partitions of its tables"


def _tables(plan: Plan) -> Iterator[str]:
    owners: dict[str, list[str]] = {table.name: [] for table in plan.tables}
    for node in plan.nodes:
        for table in node.tables:
            if table.name not in owners:
                yield f"{node.name} owns the table {table.name}, which is not in the catalogue"
            owners.setdefault(table.name, []).append(node.name)
    for table in plan.tables:
        found = owners[table.name]
        if not found:
            yield f"nobody owns the table {table.name}"
        elif len(found) > 1:
            yield f"the table {table.name} has {len(found)} owners: {', '.join(found)}"
        if table.changelog.spread != "keyed" or "compact" not in table.changelog.cleanup:
            yield f"the changelog of the table {table.name} is not a keyed, compacted topic"
    for tag, count in Counter(table.tag for table in plan.tables).items():
        if count > 1:
            yield f"{count} tables have the tag {tag!r}"


def _loops(plan: Plan) -> Iterator[str]:
    """A fused edge is a call: a circle of them would never return."""
    reader = {source.name: node.name for node in plan.nodes for source in node.reads if isinstance(source, Edge)}
    calls = {
        node.name: [reader[t.name] for t in node.writes if isinstance(t, Edge) and t.name in reader]
        for node in plan.nodes
    }
    done: set[str] = set()
    for start in calls:
        loop = _loop_from(start, calls, (), done)
        if loop:
            yield f"the edges loop: {' -> '.join(loop)}"


def _loop_from(name: str, calls: dict[str, list[str]], path: tuple[str, ...], done: set[str]) -> tuple[str, ...]:
    if name in path:
        return (*path[path.index(name) :], name)
    if name in done:
        return ()
    done.add(name)
    for called in calls[name]:
        loop = _loop_from(called, calls, (*path, name), done)
        if loop:
            return loop
    return ()
