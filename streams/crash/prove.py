"""Proves the checkers: each fault is put into a pipeline that is killed a few times, and must be found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from streams.crash.campaign import Outcome, Say, UncheckedError, Wanted
from streams.crash.faults import Fault
from streams.crash.plan import Blow

KILLS: Final[Mapping[Fault, int]] = {"early-commit": 6, "lost-row": 1, "double-settle": 1}
CAUGHT_BY: Final[Mapping[Fault, frozenset[str]]] = {
    "early-commit": frozenset({
        "every accepted message has one final state", "accounts, ledger and charges agree, nothing reserved",
        "the carrier has each attempt once",
    }),
    "lost-row": frozenset({
        "every accepted message has one final state", "one idempotency key, one message",
        "accounts, ledger and charges agree, nothing reserved",
    }),
    "double-settle": frozenset({"accounts, ledger and charges agree, nothing reserved"}),
}  # fmt: skip
"""The checkers that must find it: any of those of a fault."""
PAUSE_MS: Final = 1_500
SETTLE_WITHIN_S: Final = 45.0
"""A fault is there for good: what did not end by then never will. Every message without one has ended."""
RATE_PER_S: Final = 100.0

Run = Callable[[Wanted], Outcome]


@dataclass(frozen=True, slots=True)
class Proof:
    """What the checkers said of a fault."""

    fault: Fault
    caught_by: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether one of those found it that must."""
        return bool(CAUGHT_BY[self.fault].intersection(self.caught_by))


def prove(wanted: Wanted, faults: tuple[Fault, ...], run: Run, say: Say) -> list[Proof]:
    """A small campaign with each fault, each with a state of its own."""
    found: list[Proof] = []
    for fault in faults:
        say(f"with the fault {fault}:")
        blows = (Blow("kill", ("pipeline",), PAUSE_MS),) * KILLS[fault]
        small = replace(
            wanted, state=wanted.state / fault, evidence=wanted.evidence / fault, run_id=f"{wanted.run_id}{fault[0]}",
            blows=blows, fault=fault, settle_s=SETTLE_WITHIN_S, rate_per_s=RATE_PER_S,
        )  # fmt: skip
        try:
            proof = Proof(fault, tuple(one.name for one in run(small).checks if not one.ok))
        except UncheckedError as error:
            say(f"  {error}")
            proof = Proof(fault, ())
        found.append(proof)
        say(f"  {'caught by' if proof.ok else 'NOT CAUGHT; failed:'} {'; '.join(proof.caught_by) or 'nobody'}")
    return found
