"""The faults: every kind that a run may meet, how likely each is, which happened, and the chance that decides it."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from streams.memory import Broker

PARTITIONS: Final = 2

Fault = Literal[
    # of a pipeline process
    "crash_landing", "crash_answering", "crash_applying", "crash_applied", "crash_committing", "crash_committed",
    "outage", "empty_disk", "stale_disk", "rebalance", "zombie", "late_commit", "small_batches",
    # of clocks and configuration
    "clock_forward", "clock_back", "tenant_suspended", "route_removed",
    # of clients and gateways
    "repeated_key", "key_with_other_body", "lost_verdict", "cancel", "cancel_by_other", "poison",
    # of the egress and the carriers
    "egress_crash", "sent_twice", "repeated_answer", "repeated_receipt", "receipt_first", "late_receipt", "no_receipt",
    "bad_receipt", "refused", "busy", "slow_answer",
]  # fmt: skip
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)

USUAL: Final[Mapping[Fault, float]] = {
    "crash_landing": 0.02, "crash_answering": 0.05, "crash_applying": 0.05, "crash_applied": 0.05,
    "crash_committing": 0.05, "crash_committed": 0.05,
    "outage": 0.3, "empty_disk": 0.4, "stale_disk": 0.4, "rebalance": 0.2, "zombie": 0.02,
    "late_commit": 0.5, "small_batches": 0.5,
    "clock_forward": 0.1, "clock_back": 0.1, "tenant_suspended": 0.1, "route_removed": 0.1,
    "repeated_key": 0.3, "key_with_other_body": 0.15, "lost_verdict": 0.1,
    "cancel": 0.25, "cancel_by_other": 0.05, "poison": 0.05,
    "egress_crash": 0.05, "sent_twice": 0.5, "repeated_answer": 0.1, "repeated_receipt": 0.15, "receipt_first": 0.15,
    "late_receipt": 0.15, "no_receipt": 0.15, "bad_receipt": 0.1, "refused": 0.15, "busy": 0.2, "slow_answer": 0.1,
}  # fmt: skip
"""How likely each is at each of its occasions, in a run that has it at all."""

HAS: Final = 0.5
"""How likely a run has a kind of fault at all: fewer kinds at a time meet in more ways than all of them always."""
MOST_DEATHS: Final = 12
"""Of a run, so that it comes to an end."""


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault that happened, when, and how many records had landed before it."""

    landed: int
    at_ms: int
    kind: Fault
    detail: str


@dataclass(slots=True)
class Faults:
    """The chance of a run and the rates of its faults, over the broker of the run; and what happened."""

    chance: random.Random
    rates: Mapping[Fault, float]
    broker: Broker = field(default_factory=lambda: Broker(PARTITIONS))
    counts: Counter[Fault] = field(default_factory=Counter)
    story: list[Happened] = field(default_factory=list)
    slack_ms: int = 0
    """By how much clocks that step and processes that are down may delay what is due."""

    def happens(self, kind: Fault, detail: str = "") -> bool:
        """Whether it happens at this occasion; then it is counted."""
        rate = self.rates.get(kind, 0.0)
        if rate == 0.0 or self.chance.random() >= rate:
            return False
        self.note(kind, detail)
        return True

    def note(self, kind: Fault, detail: str = "") -> None:
        """Count a fault that happened."""
        self.counts[kind] += 1
        self.story.append(Happened(self.broker.landed, self.broker.now_ms, kind, detail))

    @property
    def deaths(self) -> int:
        """How often a process of the pipeline died."""
        return sum(n for kind, n in self.counts.items() if kind.startswith("crash_") or kind == "zombie")


def none(seed: int = 0) -> Faults:
    """No faults, for worlds that are told what to do."""
    return Faults(random.Random(seed), {})  # noqa: S311 - a seed must give the same run again


def swarm(seed: int) -> Faults:
    """Some of the kinds, each at a rate of its own."""
    chance = random.Random(seed)  # noqa: S311 - the same
    rates = {kind: USUAL[kind] * chance.choice((0.5, 1.0, 2.0)) for kind in FAULTS if chance.random() < HAS}
    return Faults(chance, rates)
