"""Layer 0, idempotency: a submission that was answered before gets the same answer, and nothing happens again."""

from dataclasses import dataclass, replace

from agents.admission.admitting import Admitting, answer_key
from agents.admission.edges import ANSWER, AUTHENTICATE, EXPLAIN
from agents.context import Context
from domain.message import Submission
from domain.validation import l0_idempotency
from domain.validation.facts import Facts
from domain.verdict import Reject, Verdict
from schemas.topics import VERDICTS
from tables.catalogue import DECISIONS


@dataclass(frozen=True, slots=True)
class Admit:
    """Looks the answer up under the tenant and the client's key (or the submission's own id)."""

    def handle(self, value: Submission, ctx: Context) -> None:
        """Repeat a known answer, or pass the submission to layer 1."""
        ctx.catch_up(value.config_version)
        if value.kind == "validate":
            ctx.emit(EXPLAIN, value.tenant_id, value)
            return
        stored = ctx.get(DECISIONS, answer_key(value))
        if stored is not None and stored.expires_at_ms <= value.received_at_ms:
            stored = None
        admitting = Admitting(value, ctx.config.tenant(value.tenant_id), ctx.config.key(value.key_id))
        if stored is not None and stored.message_id == value.message_id:
            admitting.stored = stored
            ctx.emit(ANSWER, value.tenant_id, admitting)
            return
        outcome = l0_idempotency.check(
            value, Facts(value.received_at_ms, stored_fingerprint=stored.fingerprint if stored else None)
        )
        if isinstance(outcome, Reject):
            ctx.count("hermes_validation_rejections_total", layer="0", reason=outcome.code)
            verdict = Verdict(value.message_id, value.message_id, value.tenant_id, value.received_at_ms, outcome)
            ctx.emit(VERDICTS, value.message_id, verdict, partition=value.slot)
        elif stored is not None:
            verdict = replace(stored.verdict, submission_id=value.message_id, replayed=True)
            ctx.emit(VERDICTS, value.message_id, verdict, partition=value.slot)
        else:
            ctx.emit(AUTHENTICATE, value.tenant_id, admitting)
