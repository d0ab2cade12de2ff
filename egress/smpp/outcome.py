"""What the answer to a segment means for its attempt."""

from domain.delivery import AttemptDue, Failed, Outcome, Unknown
from egress.smpp.job import Answer, Job, Silence
from schemas.smpp.status import classify, status_name

TEMPORARY_RETRY_MS = 30_000


def of_silence(job: Job, silence: Silence, parts: int, *, was_ready: bool) -> Outcome:
    """The outcome of an attempt one of whose segments has no answer; `was_ready` says whether a bind was up."""
    where = _where(job.part, parts)
    match silence:
        case "lost":
            return Unknown(f"the connection was lost before an answer{where}")
        case "timeout":
            return Unknown(f"no answer in time{where}")
        case "queue_full":
            return Failed(False, "queue_full", f"too much waits for this carrier{where}", untried=True)
        case "draining":
            return Failed(permanent=False, code="draining", detail=f"not written before the client stopped{where}")
        case "expired":
            if job.throttled:
                return Failed(permanent=False, code="throttled", detail=f"throttled until it expired{where}")
            if not was_ready:
                return Failed(permanent=False, code="not_bound", detail=f"no bind until it expired{where}")
            return Failed(permanent=False, code="expired", detail=f"no room in the window until it expired{where}")


def of_refusal(answer: Answer, part: int, parts: int) -> Failed:
    """The outcome of an attempt one of whose segments was refused."""
    kind = classify(answer.status)
    name = status_name(answer.status)
    return Failed(
        permanent=kind == "permanent",
        code=name,
        detail=f"the carrier answered {name}{_where(part, parts)}",
        retry_after_ms=TEMPORARY_RETRY_MS if kind == "temporary" else 0,
    )


def of_expired(attempt: AttemptDue) -> Failed:
    """The outcome of an attempt that came too late."""
    return Failed(permanent=False, code="expired", detail=f"attempt {attempt.attempt} had expired before it was sent")


def _where(part: int, parts: int) -> str:
    return "" if parts == 1 else f", part {part + 1} of {parts}"
