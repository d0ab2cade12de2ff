"""Promises about ends: one a message, in time, told to whom it concerns, and then everything is forgotten."""

from collections.abc import Iterator
from typing import Final

from domain.cascade.commands import Exhausted, StatusChanged
from schemas.rows import CallbackDue, DeadRecord
from schemas.topics import DEADLETTERS, DLQ, STATUS, WEBHOOKS
from streams.sim.promises.broken import Broken
from streams.sim.promises.seen import Seen
from tables.catalogue import CASCADE_ROWS, MESSAGE_ROWS

GRACE_MS: Final = 1_000
"""What a message may last beyond its longest duration when nothing holds it up."""

UNSUCCESSFUL: Final = frozenset({"exhausted", "expired"})


def ends(seen: Seen) -> Iterator[Broken]:
    """Every accepted message has one final state, and nothing else has any."""
    found, going_on = seen.finals, seen.accepted
    for message_id in sorted(going_on.keys() | found.keys()):
        states = found.get(message_id, set())
        if message_id not in going_on:
            yield Broken(f"it is {sorted(states)} and was never accepted", message_id)
        elif not states:
            yield Broken("it was accepted and never ended", message_id)
        elif len(states) > 1:
            yield Broken(f"it has {len(states)} final states: {sorted(states)}", message_id)


def in_time(seen: Seen) -> Iterator[Broken]:
    """Every message has ended when its longest duration is over, but for what clocks and outages add to it."""
    ended: dict[str, int] = {}
    for record, value in seen.world.records.landed(STATUS):
        if isinstance(value, StatusChanged) and value.final:
            deadline_ms = seen.world.records.value(value.cascade).deadline_ms + seen.world.faults.slack_ms + GRACE_MS
            late_ms = record.at_ms - deadline_ms
            ended[value.message_id] = min(late_ms, ended.get(value.message_id, late_ms))
    for message_id, late_ms in ended.items():
        if late_ms > 0:
            yield Broken(f"it ended {late_ms} ms after its longest duration", message_id)


def dead_letters(seen: Seen) -> Iterator[Broken]:
    """The dead-letter queue has the messages that were exhausted or expired, with their last word, and no others."""
    found = seen.finals
    due = {message_id for message_id, states in found.items() if states & UNSUCCESSFUL}
    dead = {value.message_id: value for value in seen.world.read(DLQ) if isinstance(value, Exhausted)}
    for message_id in sorted(due ^ dead.keys()):
        where = "is not" if message_id in due else "is"
        yield Broken(f"it is {sorted(found.get(message_id, ()))} and {where} on the dead-letter queue", message_id)
    for message_id, value in dead.items():
        if message_id in due and {value.cascade.state} != found[message_id]:
            yield Broken(f"the dead-letter queue has it as {value.cascade.state}", message_id)


def notices(seen: Seen) -> Iterator[Broken]:
    """A tenant with a callback is told of each end; the same event says the same however often it comes."""
    told: dict[str, CallbackDue] = {}
    for value in seen.world.read(WEBHOOKS):
        if told.setdefault(value.event_id, value) != value:
            yield Broken(f"the callback {value.event_id} says two things", value.message_id)
    due = {m for m, a in seen.accepted.items() if seen.world.records.value(a.message).callback}
    for message_id, states in seen.finals.items():
        said = {value.type.removeprefix("message.") for value in told.values() if value.message_id == message_id}
        if said != (states if message_id in due else set()):
            yield Broken(f"it is {sorted(states)} and the callbacks say {sorted(said)}", message_id)


def unreadable(seen: Seen) -> Iterator[Broken]:
    """What nobody could read is kept, each once at least, and nothing else is."""
    kept = {value.value for value in seen.world.read(DEADLETTERS) if isinstance(value, DeadRecord)}
    if len(kept) != seen.world.poison:
        yield Broken(f"{seen.world.poison} records could not be read and {len(kept)} are kept")


def forgotten(seen: Seen) -> Iterator[Broken]:
    """Of a message that ended a while ago nothing remains in the live tables."""
    horizon_ms = seen.world.now_ms - seen.world.product.parts.keep_final_ms - seen.world.faults.slack_ms - GRACE_MS
    ended = {
        v.message_id
        for record, v in seen.world.records.landed(STATUS)
        if isinstance(v, StatusChanged) and v.final and max(record.at_ms, v.at_ms) < horizon_ms
    }
    for table in (CASCADE_ROWS, MESSAGE_ROWS):
        for message_id in sorted(ended & seen.world.pipeline.rows(table).keys()):
            yield Broken(f"it ended long ago and still has a row in {table.name}", message_id)
