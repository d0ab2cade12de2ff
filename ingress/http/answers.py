"""The verdict of the pipeline as the answer that a client gets: 202, or the problem with everything that belongs to it."""

from collections.abc import Callable
from typing import Final

import orjson
from aiohttp import web

from domain.errors import Code, TransientError
from domain.verdict import Reject, Verdict
from ingress.gate import RETRY_AFTER_MS
from ingress.http.problems import Json, Problem, RefusalError, json_response, members
from ingress.times import format_rfc3339

REPLAYED_HEADER = "Idempotency-Replayed"
RATE_WINDOW_S = 1
BUSY: Final = Problem(
    "overloaded",
    "Too many messages wait for their verdict; repeat the request",
    (),
    {"retry_after": RETRY_AFTER_MS // 1_000},
    {"Retry-After": str(RETRY_AFTER_MS // 1_000)},
)
LAST_LAYER_BEFORE_REPORT = 2
"""A dry run answers with a problem up to this layer: there is nothing to explain to a caller who may not ask."""


def accepted(verdict: Verdict, public_url: str, now_ms: int) -> web.Response:
    """202 for an accepted submission; raises RefusalError with the problem for a rejected one."""
    if verdict.reject is not None:
        raise RefusalError(problem_of(verdict, verdict.reject, now_ms))
    headers = rate_headers(verdict.limit, verdict.remaining, verdict.reset_at_ms, now_ms)
    if verdict.replayed:
        headers[REPLAYED_HEADER] = "true"
    return json_response(_accepted_members(verdict, public_url), 202, headers)


def explained(verdict: Verdict, now_ms: int) -> web.Response:
    """200 with the report of a dry run; raises RefusalError when credential or tenant was refused, or nothing tells why."""
    reject = verdict.reject
    if reject is not None and (reject.layer <= LAST_LAYER_BEFORE_REPORT or not verdict.report):
        raise RefusalError(problem_of(verdict, reject, now_ms))
    headers = rate_headers(verdict.limit, verdict.remaining, verdict.reset_at_ms, now_ms)
    return json_response(orjson.Fragment(verdict.report or "{}"), 200, headers)


def item_result(index: int, answer: Verdict | Problem, public_url: str, now_ms: int) -> Json:
    """The result of one item of a batch."""
    if isinstance(answer, Problem):
        return {"index": index, "status": "rejected", "error": members(answer, public_url)}
    if answer.reject is not None:
        error = members(problem_of(answer, answer.reject, now_ms), public_url)
        return {"index": index, "status": "rejected", "replayed": answer.replayed, "error": error}
    return {"index": index, "replayed": answer.replayed, **_accepted_members(answer, public_url)}


def problem_of(verdict: Verdict, reject: Reject, now_ms: int) -> Problem:
    """The problem that a rejection is, with the members and headers that the API contract gives to its code."""
    extra = _EXTRAS[reject.code](verdict, reject) if reject.code in _EXTRAS else {}
    headers = rate_headers(
        reject.limit or verdict.limit, verdict.remaining, reject.reset_at_ms or verdict.reset_at_ms, now_ms
    )
    if reject.retry_after_ms:
        headers["Retry-After"] = str(_seconds_up(reject.retry_after_ms))
    elif reject.code in _NEEDS_RETRY_AFTER:
        headers["Retry-After"] = str(RATE_WINDOW_S)
    if reject.code == "unauthorized":
        headers["WWW-Authenticate"] = 'Bearer realm="hermes", error="invalid_token"'
    if verdict.replayed:
        headers[REPLAYED_HEADER] = "true"
    return Problem(reject.code, reject.message, reject.errors, extra, headers)


def overloaded(error: TransientError) -> Problem:
    """503 for an answer that did not come in time."""
    wait_s = str(_seconds_up(error.retry_after_ms))
    detail = "No answer in time; repeat the request with the same idempotency key"
    return Problem("overloaded", detail, (), {"retry_after": int(wait_s)}, {"Retry-After": wait_s})


def rate_headers(limit: int, remaining: int, reset_at_ms: int, now_ms: int) -> dict[str, str]:
    """`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers); none when there is no limit."""
    if not limit:
        return {}
    wait_s = max(0, -((now_ms - reset_at_ms) // 1000))
    return {
        "RateLimit": f'"tenant";r={max(0, remaining)};t={wait_s}',
        "RateLimit-Policy": f'"tenant";q={limit};w={RATE_WINDOW_S}',
    }


def _accepted_members(verdict: Verdict, public_url: str) -> Json:
    return {
        "message_id": verdict.message_id,
        "status": "accepted",
        "tracking_url": f"{public_url}/v1/messages/{verdict.message_id}/events",
        "created_at": format_rfc3339(verdict.created_at_ms),
    }


def _rate(verdict: Verdict, reject: Reject) -> Json:
    return {
        "retry_after": max(RATE_WINDOW_S, _seconds_up(reject.retry_after_ms)),
        "limit": reject.limit or verdict.limit,
        "remaining": max(0, verdict.remaining),
        "reset_at": format_rfc3339(reject.reset_at_ms or verdict.reset_at_ms),
    }


def _balance(_verdict: Verdict, reject: Reject) -> Json:
    return {"balance": reject.balance_micros, "required": reject.required_micros, "unit": "micros"}


def _compliance(_verdict: Verdict, reject: Reject) -> Json:
    return {"compliance_code": reject.compliance_code, "regulation": reject.regulation}


def _content(_verdict: Verdict, reject: Reject) -> Json:
    found = [{"path": one.path, "rule": one.code, "message": one.message} for one in reject.errors]
    return {"score": reject.score, "violations": found}


def _seconds_up(span_ms: int) -> int:
    return max(1, -(-span_ms // 1000))


_EXTRAS: Final[dict[Code, Callable[[Verdict, Reject], Json]]] = {
    "rate_limit_exceeded": _rate,
    "insufficient_balance": _balance,
    "compliance_blocked": _compliance,
    "content_violation": _content,
}
_NEEDS_RETRY_AFTER: Final[frozenset[Code]] = frozenset(
    {"rate_limit_exceeded", "overloaded", "tenant_provisioning", "idempotency_in_progress"}
)
