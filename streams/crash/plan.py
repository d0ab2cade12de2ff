"""What is done to which process, and when: the whole plan of a campaign follows from its seed."""

import random
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["kill", "two at once", "again", "stop", "forget", "join", "zombie"]
Victim = Literal[
    "gateway", "pipeline", "egress", "archive", "insight", "kafka", "postgres", "sandbox-carrier", "sandbox-mx"
]

MAX_KILLS: Final = 10_000
PAUSE_MS: Final = (200, 2_500)
"""Between the recovery from one blow and the next."""
AGAIN_MS: Final = (0, 2_500)
"""How long a process that was started again may live before it is killed again: mostly it is not ready yet."""
STOP_MS: Final = (8_000, 11_000)
"""Longer than the session of the consumer groups of the stack, six seconds."""

SINGLE: Final[tuple[Victim, ...]] = (
    "gateway", "gateway", "pipeline", "pipeline", "pipeline", "egress", "egress", "archive", "insight", "kafka", "postgres",
    "sandbox-carrier", "sandbox-mx",
)  # fmt: skip
AGAIN: Final[tuple[Victim, ...]] = ("pipeline", "egress", "gateway", "kafka")
EXTERNAL: Final[frozenset[Victim]] = frozenset({"kafka", "postgres"})
"""What is not ours to kill when it is given from outside."""


@dataclass(frozen=True, slots=True)
class Blow:
    """One blow.

    kill, two at once: SIGKILL. again: SIGKILL, and once more `after_ms` after the restart. stop: SIGSTOP, SIGCONT `after_ms`
    later. forget: SIGKILL, and the local state is deleted before the restart. join: a second pipeline process takes its
    share and leaves by `leaving`. zombie: the first one is stopped while there is a second, and goes on `after_ms` later.
    """

    kind: Kind
    victims: tuple[Victim, ...]
    pause_ms: int = 0
    after_ms: int = 0
    leaving: Literal["SIGTERM", "SIGKILL"] = "SIGTERM"

    @property
    def kills(self) -> bool:
        """Whether its victims are dead afterwards, and others take their place."""
        return self.kind in ("kill", "two at once", "again", "forget")

    @property
    def name(self) -> str:
        """By what recoveries are told apart: `kill pipeline`, `join SIGKILL`."""
        return f"join {self.leaving}" if self.kind == "join" else f"{self.kind} {' + '.join(self.victims)}"


def plan(seed: int, kills: int, *, external: frozenset[Victim] = frozenset()) -> tuple[Blow, ...]:
    """The blows of a campaign; every kind comes once before any comes again. `external` processes are left alone."""
    chance = random.Random(seed)  # noqa: S311 - a plan that can be repeated, no secret
    found: list[Blow] = []
    while len(found) < kills:
        deck = _deck(chance, external)
        chance.shuffle(deck)
        found += deck
    return tuple(found[:kills])


def _deck(chance: random.Random, external: frozenset[Victim]) -> list[Blow]:
    singles = [one for one in SINGLE if one not in external]
    different = sorted(set(singles))

    def pause() -> int:
        return chance.randint(*PAUSE_MS)

    deck = [Blow("kill", (one,), pause()) for one in singles]
    for _ in range(3):
        first, second = chance.sample(different, 2)
        deck.append(Blow("two at once", (first, second), pause()))
    again = chance.sample([one for one in AGAIN if one not in external], 2)
    deck += [Blow("again", (one,), pause(), chance.randint(*AGAIN_MS)) for one in again]
    stopped: tuple[Victim, ...] = ("pipeline", "egress")
    deck += [Blow("stop", (one,), pause(), chance.randint(*STOP_MS)) for one in stopped]
    deck += [Blow("forget", (one,), pause()) for one in stopped]
    deck.append(Blow("join", ("pipeline",), pause(), 0, "SIGTERM"))
    deck.append(Blow("join", ("pipeline",), pause(), 0, "SIGKILL"))
    deck.append(Blow("zombie", ("pipeline",), pause(), chance.randint(*STOP_MS)))
    return deck
