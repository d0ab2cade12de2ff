"""What became of an attempt, as its row in the book and as the event that the cascade is told."""

from domain.cascade.events import AttemptFailed, AttemptSent
from domain.delivery import AttemptDue, Failed, Outcome, Sent
from schemas.rows import Submit


def row_of(due: AttemptDue, outcome: Outcome | None, at_ms: int) -> Submit:
    """The row of an attempt with its outcome, None for the intent to send it."""
    word, code, detail, retry_after_ms, untried = "", "", "", 0, False
    provider_ids: tuple[str, ...] = ()
    if isinstance(outcome, Sent):
        word, provider_ids = outcome.level, outcome.provider_ids
    elif isinstance(outcome, Failed):
        word, code, retry_after_ms = "refused" if outcome.permanent else "failed", outcome.code, outcome.retry_after_ms
        detail, untried = outcome.detail, outcome.untried
    elif outcome is not None:
        word, detail = "unknown", outcome.detail
    return Submit(
        due.message_id, due.attempt, due.carrier, word, provider_ids, due.segments, due.price_micros, due.cost_micros,
        due.trace_id, at_ms, code, detail, retry_after_ms, untried=untried,
    )  # fmt: skip


def event_of(row: Submit) -> AttemptSent | AttemptFailed:
    """What a row with an outcome says to the cascade."""
    if row.outcome in ("failed", "refused"):
        return AttemptFailed(
            row.message_id, row.attempt, row.at_ms, row.carrier, row.outcome == "refused", row.code, row.detail,
            row.retry_after_ms, row.untried,
        )  # fmt: skip
    return AttemptSent(
        row.message_id, row.attempt, row.at_ms, row.carrier, row.provider_ids,
        "delivered" if row.outcome == "delivered" else "sent",
        row.segments, row.price_micros, row.cost_micros, row.outcome == "unknown", row.detail,
    )  # fmt: skip
