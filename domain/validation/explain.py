"""The report of a dry run: what each layer says, the plan, the routes with their losers, the price, the time shifts."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from domain.cascade.plan import Plan, PlannedStep
from domain.errors import status_of
from domain.message import Submission
from domain.routing.decision import RoutingDecision
from domain.validation.facts import Facts
from domain.validation.mask import masked
from domain.validation.order import LAYERS
from domain.verdict import Defer, Reject

_MAX_TIME_MS: Final = 253_402_300_799_000
"""The last second of the year 9999, the end of what RFC 3339 can write."""

Report = dict[str, Any]
"""Plain values, as JSON has them."""


def explain(
    submission: Submission,
    facts: Facts,
    outcomes: Sequence[tuple[int, str, Reject | Defer | None]],
    plan: Plan | None,
    decisions: Sequence[RoutingDecision],
) -> str:
    """The report as a JSON object.

    `valid`; `layers` (each with its outcome pass, defer, reject or not_run); `plan` with masked addresses; `routes`, one a
    decision; `price`, what would be reserved; `time_shifts`, the steps that must wait. Times are RFC 3339, money in
    micro-units.
    """
    refusal = next((verdict for _, _, verdict in outcomes if isinstance(verdict, Reject)), None)
    judged = {number for number, _, _ in outcomes}
    layers = [_layer(number, name, verdict) for number, name, verdict in outcomes]
    layers += [
        {"layer": number, "name": name, "outcome": "not_run"} for number, name, _ in LAYERS if number not in judged
    ]
    report: Report = {
        "message_id": submission.message_id,
        "valid": refusal is None,
        "code": refusal.code if refusal is not None else "",
        "layers": layers,
        "plan": _plan(plan) if plan is not None else None,
        "routes": [_decision(decision) for decision in decisions],
        "price": {
            "reserved_micros": plan.dearest_micros if plan is not None else 0,
            "currency": facts.tenant.currency if facts.tenant is not None else "",
            "charge_on": plan.charge_on if plan is not None else "",
            "available_micros": facts.account.available_micros if facts.account is not None else 0,
        },
        "time_shifts": _shifts(outcomes, plan),
    }
    return json.dumps(report, ensure_ascii=False, separators=(",", ":"))


def _layer(number: int, name: str, verdict: Reject | Defer | None) -> Report:
    report: Report = {"layer": number, "name": name, "outcome": "pass"}
    if isinstance(verdict, Defer):
        report |= {
            "outcome": "defer",
            "reason": verdict.reason,
            "not_before": [_when(ms) for ms in verdict.not_before_ms],
        }
    elif verdict is not None:
        report |= {
            "outcome": "reject",
            "code": verdict.code,
            "status": status_of(verdict.code),
            "message": verdict.message,
            "errors": [{"path": e.path, "code": e.code, "message": e.message} for e in verdict.errors],
        }
        report |= _details(verdict)
    return report


def _details(verdict: Reject) -> Report:
    """The fields that belong to the refusal's code: those that are not empty."""
    details: Report = {
        "retry_after_ms": verdict.retry_after_ms,
        "limit": verdict.limit,
        "reset_at": _when(verdict.reset_at_ms),
        "compliance_code": verdict.compliance_code,
        "regulation": verdict.regulation,
        "score": round(verdict.score, 2),
    }
    details = {name: value for name, value in details.items() if value}
    if verdict.code == "insufficient_balance":
        details |= {"balance_micros": verdict.balance_micros, "required_micros": verdict.required_micros}
    return details


def _plan(plan: Plan) -> Report:
    return {
        "steps": [_step(n, step) for n, step in enumerate(plan.steps)],
        "confirmation": plan.confirmation,
        "max_duration_ms": plan.max_duration_ms,
        "send_at": _when(plan.send_at_ms),
        "rule_id": plan.rule_id,
    }


def _step(number: int, planned: PlannedStep) -> Report:
    window = planned.step.window
    return {
        "step": number,
        "channel": planned.step.channel,
        "address": masked(planned.address),
        "segments": planned.segments,
        "price_micros": planned.price_micros,
        "skip": planned.skip,
        "not_before": _when(planned.not_before_ms),
        "timeout_ms": planned.step.timeout_ms,
        "max_retries": planned.step.max_retries,
        "delivery_window": None
        if window is None
        else {
            "start": _clock(window.start_minute),
            "end": _clock(window.end_minute),
            "timezone": planned.timezone,
            "days": list(window.days),
        },
    }


def _decision(decision: RoutingDecision) -> Report:
    """Candidates best first. Scores and costs stay inside: what a carrier asks of us is not the tenant's."""
    return {
        "channel": decision.channel,
        "carrier": decision.carrier,
        "route_id": decision.route_id,
        "path": decision.path,
        "candidates": [
            {
                "route_id": c.route_id,
                "carrier": c.carrier,
                "price_micros": c.price_micros,
                "chosen": c.route_id == decision.route_id,
                "reason": c.reason,
            }
            for c in decision.candidates
        ],
    }


def _shifts(outcomes: Sequence[tuple[int, str, Reject | Defer | None]], plan: Plan | None) -> list[Report]:
    """The steps that a layer defers, and those whose plan says so already, each once."""
    shifts: dict[int, Report] = {}
    if plan is not None:
        for n, step in enumerate(plan.steps):
            if step.not_before_ms and not step.skip:
                shifts[n] = {"step": n, "not_before": _when(step.not_before_ms), "reason": "quiet_hours"}
    for _, _, verdict in outcomes:
        if isinstance(verdict, Defer):
            for n, ms in enumerate(verdict.not_before_ms):
                if ms:
                    shifts[n] = {"step": n, "not_before": _when(ms), "reason": verdict.reason}
    return [shifts[n] for n in sorted(shifts)]


def _when(at_ms: int) -> str:
    """`at_ms` in RFC 3339, empty for zero and for what no calendar holds."""
    if not 0 < at_ms <= _MAX_TIME_MS:
        return ""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
