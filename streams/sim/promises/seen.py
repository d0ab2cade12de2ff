"""What the topics of a run say as a whole: who was accepted, who was refused, how each message ended, and how it should."""

from dataclasses import dataclass

from domain.cascade.commands import StatusChanged
from domain.cascade.events import Accepted
from domain.verdict import Verdict
from schemas.topics import CASCADE, STATUS, VERDICTS
from streams.sim.promises.replay import Replay, replays
from streams.sim.world import World


@dataclass(frozen=True, slots=True)
class Seen:
    """A world that has come to its end, read once.

    `verdicts` are the answers by submission, dry runs left out; `accepted` is what admission handed to the cascade; `finals`
    are the final states that were told of each message; `replays` is what its events come to.
    """

    world: World
    verdicts: dict[str, list[Verdict]]
    accepted: dict[str, Accepted]
    finals: dict[str, set[str]]
    replays: dict[str, Replay]


def look(world: World) -> Seen:
    """Read the topics."""
    verdicts: dict[str, list[Verdict]] = {}
    for value in world.read(VERDICTS):
        if isinstance(value, Verdict) and not value.report:
            verdicts.setdefault(value.submission_id, []).append(value)
    finals: dict[str, set[str]] = {}
    for value in world.read(STATUS):
        if isinstance(value, StatusChanged) and value.final:
            finals.setdefault(value.message_id, set()).add(world.records.value(value.cascade).state)
    accepted = {value.message_id: value for value in world.read(CASCADE) if isinstance(value, Accepted)}
    return Seen(world, verdicts, accepted, finals, replays(world))
