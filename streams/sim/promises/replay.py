"""Every message made anew from its events: what it should be, whatever crashed in between and however often."""

from dataclasses import dataclass, field

from domain.cascade.engine import begin, decide, is_retired
from domain.cascade.events import Accepted, CancelAsked, StatusAsked
from domain.cascade.states import Cascade
from schemas.topics import CASCADE
from streams.sim.world import World


@dataclass(slots=True)
class Replay:
    """A message as its events make it: each state that it was in by revision, the last one, whether it was forgotten."""

    last: Cascade
    states: dict[int, list[Cascade]] = field(default_factory=dict)
    retired: bool = False
    begun: int = 1

    def goes_on(self, state: Cascade) -> None:
        """It is in this state now."""
        self.last = state
        self.states.setdefault(state.revision, []).append(state)


def replays(world: World) -> dict[str, Replay]:
    """Every message, made anew from the topic."""
    keep_ms = world.product.parts.keep_final_ms
    found: dict[str, Replay] = {}
    for event in world.read(CASCADE):
        replay = found.get(event.message_id)
        if isinstance(event, Accepted):
            if replay is None or replay.retired:
                first = begin(world.records.value(event.message), keep_ms)[0]
                again = Replay(first, begun=1 if replay is None else replay.begun + 1)
                again.goes_on(first)
                found[event.message_id] = again
            continue
        if replay is None or replay.retired or isinstance(event, StatusAsked):
            continue
        if isinstance(event, CancelAsked) and event.tenant_id != replay.last.tenant_id:
            continue
        if is_retired(replay.last, event):
            replay.retired = True
            continue
        replay.goes_on(decide(replay.last, event, keep_ms)[0])
    return found
