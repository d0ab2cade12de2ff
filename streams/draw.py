"""Draws the topology, as text for a terminal and as Mermaid for a page; both are golden files."""

from collections.abc import Iterator, Sequence

from agents.context import Edge
from schemas.topics import Topic
from streams.check import HERMES, Plan
from streams.node import Node

WIDTH = 118
NAME_WIDTH = 16


def as_text(plan: Plan = HERMES) -> str:
    """The agents in the order in which a message meets them, then the processes around them, then the topics."""
    return "\n".join([*_agents(plan), *_processes(plan), *_topics(plan)]) + "\n"


def as_mermaid(plan: Plan = HERMES) -> str:
    """A flow chart: a box an agent or process, a drum a topic, a thick arrow a fused edge."""
    return "\n".join(["flowchart LR", *_mermaid_boxes(plan), *_mermaid_arrows(plan)]) + "\n"


def _agents(plan: Plan) -> Iterator[str]:
    reader = _edge_readers(plan.nodes)
    group = ""
    for node in plan.nodes:
        if node.group != group:
            group = node.group
            yield f"{group.upper()}, keyed by {node.reads[0].key}"
        yield from _rows(
            node.name,
            ("<-", [s.name for s in node.reads if isinstance(s, Topic)]),
            ("=>", [reader[t.name] for t in node.writes if isinstance(t, Edge)]),
            ("->", [*(t.name for t in node.writes if isinstance(t, Topic)), *node.fans_out]),
            ("[]", [f"{t.name} on {t.changelog.name}" for t in node.tables]),
        )
    yield ""


def _processes(plan: Plan) -> Iterator[str]:
    yield "AROUND"
    for process in plan.around:
        reads = [*(t.name for t in process.reads), *process.fans_in]
        yield from _rows(process.name, ("<-", reads), ("->", [t.name for t in process.writes]))
    yield ""


def _topics(plan: Plan) -> Iterator[str]:
    yield "TOPICS"
    width = max(len(topic.name) for topic in plan.topics)
    for topic in plan.topics:
        kept = f"{topic.retention_ms // 3_600_000} h" if "delete" in topic.cleanup else "newest of each key"
        holds = " ".join(t.__name__ for t in topic.holds)
        yield f"  {topic.name:{width}}  key {topic.key:22} {topic.spread:7} {kept:19} {holds}".rstrip()


def _rows(name: str, *lists: tuple[str, Sequence[str]]) -> Iterator[str]:
    """Each list that is not empty with its sign, broken at the width; the name stands before the first."""
    label = f"  {name}"
    for sign, items in lists:
        if not items:
            continue
        line = f"{label:{NAME_WIDTH}} {sign} "
        indent = " " * len(line)
        label = ""
        for number, item in enumerate(items):
            text = item + ("," if number < len(items) - 1 else "")
            if number and len(line) + len(text) > WIDTH:
                yield line.rstrip()
                line = indent
            line += text + " "
        yield line.rstrip()


def _mermaid_boxes(plan: Plan) -> Iterator[str]:
    group = ""
    for node in plan.nodes:
        if node.group != group:
            if group:
                yield "  end"
            group = node.group
            yield f"  subgraph {group}"
        yield f"    {node.name}"
    yield "  end"
    yield "  subgraph around"
    for process in plan.around:
        yield f"    p_{process.name}[{process.name}]"
    yield "  end"
    changelogs = {t.changelog.name for t in plan.tables}
    for name in [*(t.name for t in plan.topics), *_families(plan)]:
        if name not in changelogs:
            yield f"  {_drum(name)}[({name.replace('{', '').replace('}', '')})]"


def _mermaid_arrows(plan: Plan) -> Iterator[str]:
    reader = _edge_readers(plan.nodes)
    for node in plan.nodes:
        yield from (f"  {_drum(s.name)} --> {node.name}" for s in node.reads if isinstance(s, Topic))
        for target in node.writes:
            if isinstance(target, Edge):
                yield f"  {node.name} ==> {reader[target.name]}"
            else:
                yield f"  {node.name} --> {_drum(target.name)}"
        yield from (f"  {node.name} --> {_drum(family)}" for family in node.fans_out)
    for process in plan.around:
        name = f"p_{process.name}"
        yield from (f"  {_drum(t)} -.-> {name}" for t in [*(t.name for t in process.reads), *process.fans_in])
        yield from (f"  {name} -.-> {_drum(t.name)}" for t in process.writes)


def _families(plan: Plan) -> list[str]:
    return list(dict.fromkeys(family for node in plan.nodes for family in node.fans_out))


def _drum(name: str) -> str:
    """The id of a topic in the chart."""
    return "t_" + "".join(c if c.isalnum() else "_" for c in name.removeprefix("hermes.").removesuffix(".v1"))


def _edge_readers(nodes: Sequence[Node]) -> dict[str, str]:
    return {source.name: node.name for node in nodes for source in node.reads if isinstance(source, Edge)}
