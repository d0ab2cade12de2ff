"""Promises about answers: each submission has one, a key names one message, and what is refused has no effect."""

from collections.abc import Iterator

from domain.message import Submission
from domain.verdict import Verdict
from schemas.topics import AUDIT, LEDGER
from streams.sim.promises.broken import Broken
from streams.sim.promises.seen import Seen


def answers(seen: Seen) -> Iterator[Broken]:
    """Every submission is answered, always the same, and accepted is what goes on to the cascade."""
    told, going_on = seen.verdicts, seen.accepted
    lost = seen.world.faults.counts["lost_verdict"]
    for submission in seen.world.asked:
        said = told.get(submission.message_id, [])
        if not said and not lost and submission.kind == "send":
            yield Broken("a submission was never answered", submission.message_id)
        if len({_gist(v) for v in said}) > 1:
            yield Broken(
                f"a submission was answered in two ways: {sorted({_gist(v) for v in said})}", submission.message_id
            )
        if any(v.reject is None and v.message_id not in going_on for v in said):
            yield Broken("it was accepted and never reached the cascade", submission.message_id)
    for message_id in going_on:
        if not lost and not any(v.reject is None for v in told.get(message_id, ())):
            yield Broken("it reached the cascade and nobody was told that it was accepted", message_id)


def keys(seen: Seen) -> Iterator[Broken]:
    """Submissions with the same key are one message, and none with another body gets its answer."""
    told = seen.verdicts
    by_key: dict[tuple[str, str], list[Submission]] = {}
    for submission in seen.world.asked:
        if submission.idempotency_key:
            by_key.setdefault((submission.tenant_id, submission.idempotency_key), []).append(submission)
    for (tenant_id, key), group in by_key.items():
        made = {s.message_id: s for s in group if s.message_id in seen.accepted}
        if len(made) > 1:
            yield Broken(f"the key {key} of {tenant_id} made {len(made)} messages: {sorted(made)}", min(made))
        bodies = {s.message_id: s.fingerprint for s in group}
        for s in group:
            for v in told.get(s.message_id, ()):
                if v.replayed and bodies.get(v.message_id) != s.fingerprint:
                    yield Broken(f"it was told the answer of {v.message_id}, which has another body", s.message_id)


def refusals(seen: Seen) -> Iterator[Broken]:
    """What was refused moved no money and was never sent; what was refused before the audit is not in it."""
    told, going_on = seen.verdicts, seen.accepted
    moved = {entry.message_id for entry in seen.world.read(LEDGER)}
    sent = {message_id for message_id, _ in seen.world.egress.taken}
    noted = {entry.message_id for entry in seen.world.read(AUDIT)}
    for message_id, said in told.items():
        if any(v.reject is None for v in said):
            continue
        for effect, where in (("reached the cascade", going_on), ("moved money", moved), ("was sent", sent)):
            if message_id in where:
                yield Broken(f"it was refused and {effect}", message_id)
        if message_id in noted and all(v.reject is not None and v.reject.layer < 8 for v in said):
            yield Broken("it was refused before the audit and is in it", message_id)


def _gist(verdict: Verdict) -> str:
    """What an answer comes to; a replay says the same as what it repeats."""
    return f"{verdict.message_id} {verdict.reject.code if verdict.reject else 'accepted'}"
