"""Promises about stories: what was told of a message, and what is kept, is what its events on the topic come to.

A message is a function of its records on `hermes.cascade` in their order, whatever crashed in between and however often.
"""

from collections.abc import Iterator

from domain.cascade.commands import StatusChanged
from schemas.topics import STATUS
from streams.sim.promises.broken import Broken
from streams.sim.promises.seen import Seen
from tables.catalogue import CASCADE_ROWS


def stories(seen: Seen) -> Iterator[Broken]:
    """What was told was once so, what was told last is the last state, and what is kept is the last state, too."""
    found = seen.replays
    newest: dict[str, StatusChanged] = {}
    for told in seen.world.read(STATUS):
        replay = found.get(told.message_id)
        state = seen.world.records.value(told.cascade)
        if replay is None or state not in replay.states.get(told.revision, ()):
            yield Broken(f"revision {told.revision} ({told.event}) was told and never was", told.message_id)
        if told.message_id not in newest or newest[told.message_id].revision <= told.revision:
            newest[told.message_id] = told
    kept = seen.world.pipeline.rows(CASCADE_ROWS)
    for message_id, replay in found.items():
        if replay.begun > 1:
            yield Broken(f"it was begun {replay.begun} times", message_id)
        if message_id not in newest or seen.world.records.value(newest[message_id].cascade) != replay.last:
            yield Broken(f"its last state, revision {replay.last.revision}, was not told", message_id)
        if kept.get(message_id) != (None if replay.retired else replay.last):
            is_kept = kept.get(message_id)
            what = f"revision {is_kept.revision}" if is_kept else "nothing"
            yield Broken(f"{what} is kept of it instead of revision {replay.last.revision}", message_id)
