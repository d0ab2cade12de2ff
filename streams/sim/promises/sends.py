"""Promises about what leaves: no attempt is submitted twice unseen, each belongs to its message, the audit is a chain."""

from collections.abc import Iterator

from domain.audit.chain import GENESIS, AuditEntry, is_next
from domain.cascade.states import Cascade
from schemas.topics import AUDIT
from streams.sim.promises.broken import Broken
from streams.sim.promises.seen import Seen


def sends(seen: Seen) -> Iterator[Broken]:
    """A carrier took an attempt once, and again only when it was unknown; the message knows of each, within its plan."""
    told = seen.replays
    for (message_id, attempt), times in seen.world.egress.taken.items():
        if times > 1 + seen.world.egress.resent[message_id, attempt]:
            yield Broken(f"attempt {attempt} was submitted {times} times", message_id)
        replay = told.get(message_id)
        if replay is None or attempt > len(replay.last.attempts):
            yield Broken(f"attempt {attempt} was submitted and the message does not know it", message_id)
        elif replay.last.attempts[attempt - 1].state == "skipped":
            yield Broken(f"attempt {attempt} was submitted though its step is skipped", message_id)
    for message_id, replay in told.items():
        held_back = {n for (m, n), row in seen.world.egress.rows.items() if m == message_id and row.untried}
        yield from _within_plan(message_id, replay.last, held_back)


def _within_plan(message_id: str, state: Cascade, held_back: set[int]) -> Iterator[Broken]:
    steps = [attempt.step for attempt in state.attempts]
    if steps != sorted(steps):
        yield Broken(f"its attempts are not in the order of the plan: {steps}", message_id)
    for number, planned in enumerate(state.plan.steps):
        most = 1 + (0 if planned.skip else planned.step.max_retries)
        tries = sum(attempt.step == number and attempt.number not in held_back for attempt in state.attempts)
        if tries > most:
            yield Broken(f"step {number + 1} was tried {tries} times, which is more than {most}", message_id)


def chains(seen: Seen) -> Iterator[Broken]:
    """Each tenant's audit entries follow each other, and every accepted message has one."""
    entries: dict[str, dict[int, AuditEntry]] = {}
    noted: dict[str, AuditEntry] = {}
    for entry in seen.world.read(AUDIT):
        if noted.setdefault(entry.message_id, entry) != entry:
            yield Broken("the audit has two entries for it", entry.message_id)
        if entries.setdefault(entry.tenant_id, {}).setdefault(entry.seq, entry) != entry:
            yield Broken(f"two audit entries of {entry.tenant_id} have the number {entry.seq}", entry.message_id)
    for tenant_id, chain in entries.items():
        previous = GENESIS
        for seq, number in enumerate(sorted(chain), start=1):
            if not is_next(chain[number], previous, seq):
                yield Broken(f"the audit chain of {tenant_id} breaks at {seq}", chain[number].message_id)
                break
            previous = chain[number].hash
    for message_id in seen.accepted.keys() - noted.keys():
        yield Broken("it was accepted and is not in the audit", message_id)
