"""The check finds what is broken in a topology, and nothing in ours."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agents.context import Context, Edge
from schemas.topics import BILLING, CASCADE, MESSAGES, STATUS, SUBMISSIONS, VERDICTS
from streams.check import Plan, check
from streams.node import Node, Process
from streams.parts import Parts
from tables.catalogue import MESSAGE_ROWS

NEXT = Edge("hermes.next", "tenant")


class Idle:
    """Does nothing with a record."""

    def handle(self, value: Any, ctx: Context) -> None:
        return None


def make(_: Parts) -> Idle:
    return Idle()


FIRST = Node("first", "g", reads=(SUBMISSIONS,), writes=(NEXT,), make=make)
SECOND = Node("second", "g", reads=(NEXT,), writes=(VERDICTS,), tables=(MESSAGE_ROWS,), make=make)
GATEWAY = Process("gateway", reads=(VERDICTS,), writes=(SUBMISSIONS,))
SOUND = Plan((FIRST, SECOND), (GATEWAY,), (SUBMISSIONS, VERDICTS, MESSAGES), (MESSAGE_ROWS,))


def test_our_topology_is_sound() -> None:
    assert check() == []


def test_a_small_sound_plan_has_no_problems() -> None:
    assert check(SOUND) == []


BROKEN: list[tuple[Callable[[], Plan], str]] = [
    (lambda: replace(SOUND, around=()), "nobody writes the topic hermes.submissions.v1"),
    (lambda: replace(SOUND, around=()), "nobody reads the topic hermes.verdicts.v1"),
    (
        lambda: replace(SOUND, topics=(SUBMISSIONS, MESSAGES)),
        "the topic hermes.verdicts.v1 is used and is not in the catalogue",
    ),
    (lambda: replace(SOUND, topics=(*SOUND.topics, STATUS)), "nobody writes the topic hermes.status.v1"),
    (lambda: replace(SOUND, nodes=(FIRST,)), "first writes the edge hermes.next, which nobody reads"),
    (lambda: replace(SOUND, nodes=(SECOND,)), "second reads the edge hermes.next, which nobody writes"),
    (lambda: replace(SOUND, nodes=(FIRST, replace(SECOND, tables=()))), "nobody owns the table messages"),
    (
        lambda: replace(SOUND, nodes=(replace(FIRST, tables=(MESSAGE_ROWS,)), SECOND)),
        "the table messages has 2 owners: first, second",
    ),
    (
        lambda: replace(SOUND, nodes=(*SOUND.nodes, replace(SECOND, name="third", tables=()))),
        "hermes.next has 2 agents that read it: second, third",
    ),
    (lambda: replace(SOUND, nodes=(*SOUND.nodes, FIRST)), "2 agents are called first"),
    (
        lambda: replace(SOUND, nodes=(replace(FIRST, reads=(CASCADE,)), SECOND)),
        "first is keyed by message and writes the edge hermes.next, keyed by tenant",
    ),
    (
        lambda: replace(SOUND, nodes=(replace(FIRST, reads=(SUBMISSIONS, CASCADE)), SECOND)),
        "first reads what is keyed by message and by tenant",
    ),
    (
        lambda: replace(SOUND, nodes=(FIRST, replace(SECOND, reads=(NEXT, VERDICTS)))),
        "second reads what is keyed by gateway slot and by tenant",
    ),
    (
        lambda: replace(SOUND, nodes=(FIRST, replace(SECOND, group="other"))),
        "the edge hermes.next leads from the group g into the group other",
    ),
    (
        lambda: replace(SOUND, nodes=(FIRST, replace(SECOND, writes=(VERDICTS, NEXT)))),
        "the edges loop: second -> second",
    ),
    (
        lambda: replace(SOUND, nodes=(FIRST, replace(SECOND, fans_out=("hermes.smpp.{carrier}.v1",)))),
        "nobody reads the topics hermes.smpp.{carrier}.v1",
    ),
    (
        lambda: replace(SOUND, around=(replace(GATEWAY, fans_in=("hermes.mta.{pool}.v1",)),)),
        "nobody writes the topics hermes.mta.{pool}.v1",
    ),
    (
        lambda: replace(SOUND, around=(replace(GATEWAY, writes=(SUBMISSIONS, MESSAGES)),)),
        "the changelog hermes.messages.v1 is read or written by an agent; only its tables may",
    ),
    (
        lambda: replace(SOUND, tables=(replace(MESSAGE_ROWS, changelog=BILLING),), nodes=(FIRST, SECOND)),
        "the changelog of the table messages is not a keyed, compacted topic",
    ),
]


@pytest.mark.parametrize(("plan", "problem"), BROKEN, ids=[problem for _, problem in BROKEN])
def test_what_is_broken_is_said(plan: Callable[[], Plan], problem: str) -> None:
    assert problem in check(plan())
