"""The domain's values as the JSON that clients read: rules, the state of a message, its timeline."""

from collections.abc import Sequence

from domain.cascade.plan import Plan, PlannedStep
from domain.cascade.rule import Backoff, CascadeRule, DeliveryWindow, Step
from domain.cascade.states import Attempt, Cascade
from ingress.http.problems import Json
from ingress.http.rule_bodies import DAYS
from ingress.times import format_duration, format_rfc3339, format_time_of_day


def rule_view(rule: CascadeRule) -> Json:
    """A saved rule."""
    return {
        "rule_id": rule.rule_id,
        "tenant_id": rule.tenant_id,
        "name": rule.name,
        "steps": [_step(step) for step in rule.steps],
        "max_cascade_duration": format_duration(rule.max_duration_ms),
        "confirmation_level": rule.confirmation,
        "version": rule.version,
    }


def cascade_view(cascade: Cascade, public_url: str, currency: str) -> Json:
    """The state of a message: the CascadeState of the API contract with price, reference and links. Steps count from 0."""
    here = f"{public_url}/v1/messages/{cascade.message_id}"
    return {
        "message_id": cascade.message_id,
        "tenant_id": cascade.tenant_id,
        "rule": _plan(cascade.plan),
        "current_step": cascade.step,
        "status": _status(cascade),
        "attempts": [_attempt(attempt, currency) for attempt in cascade.attempts],
        "created_at": format_rfc3339(cascade.created_at_ms),
        "updated_at": format_rfc3339(cascade.updated_at_ms or cascade.created_at_ms),
        "send_at": _moment(cascade.plan.send_at_ms),
        "expires_at": format_rfc3339(cascade.deadline_ms),
        "confirmed_by": cascade.confirmed_by or None,
        "price": _price(cascade.charged_micros, currency),
        "reserved": _price(0 if cascade.is_final else cascade.reserved_micros, currency),
        "reference": cascade.reference,
        "links": {"self": here, "events": f"{here}/events", "cancel": f"{here}/cancel"},
    }


def events_view(cascade: Cascade, public_url: str) -> Json:
    """The timeline of a message, oldest first; `attempt` counts from 1, null for what concerns no attempt."""
    return {
        "message_id": cascade.message_id,
        "state": cascade.state,
        "events": [
            {
                "at": format_rfc3339(entry.at_ms),
                "event": entry.event,
                "attempt": entry.attempt or None,
                "detail": entry.detail,
                **_place(cascade.attempts, entry.attempt),
            }
            for entry in sorted(cascade.history, key=lambda line: line.at_ms)
        ],
        "links": {"message": f"{public_url}/v1/messages/{cascade.message_id}"},
    }


def _place(attempts: Sequence[Attempt], number: int) -> Json:
    if not 0 < number <= len(attempts):
        return {"step": None, "channel": None, "adapter_id": None}
    attempt = attempts[number - 1]
    return {"step": attempt.step, "channel": attempt.channel, "adapter_id": attempt.carrier or None}


def _status(cascade: Cascade) -> Json:
    steps = cascade.plan.steps
    deadline_ms = 0
    if not cascade.is_final:
        waits = cascade.wake == "timeout"
        deadline_ms = cascade.wake_at_ms if waits else cascade.step_deadline_ms or cascade.deadline_ms
    return {
        "state": cascade.state,
        "step": cascade.step,
        "channel": steps[cascade.step].step.channel if cascade.step < len(steps) else None,
        "deadline": _moment(deadline_ms),
        "next_at": _moment(cascade.wake_at_ms if cascade.wake in ("start", "retry") else 0),
    }


def _attempt(attempt: Attempt, currency: str) -> Json:
    failed = attempt.state in ("failed", "timed_out", "skipped")
    return {
        "number": attempt.number,
        "step": attempt.step,
        "channel": attempt.channel,
        "adapter_id": attempt.carrier or None,
        "status": {"state": attempt.state, "code": attempt.code, "message": attempt.detail},
        "provider_message_id": attempt.provider_ids[0] if attempt.provider_ids else None,
        "provider_message_ids": list(attempt.provider_ids),
        "error": (attempt.detail or attempt.code or attempt.state) if failed else None,
        "started_at": format_rfc3339(attempt.started_at_ms),
        "completed_at": _moment(attempt.completed_at_ms),
        "late": attempt.late,
        "redundant": attempt.redundant,
        "unknown": attempt.unknown,
        "segments": attempt.segments,
        "price": _price(attempt.price_micros, currency),
    }


def _plan(plan: Plan) -> Json:
    return {
        "rule_id": plan.rule_id or None,
        "steps": [_planned(step) for step in plan.steps],
        "max_cascade_duration": format_duration(plan.max_duration_ms),
        "confirmation_level": plan.confirmation,
        "charge_on": plan.charge_on,
    }


def _planned(planned: PlannedStep) -> Json:
    return {
        **_step(planned.step),
        "segments": planned.segments,
        "not_before": _moment(planned.not_before_ms),
        "skipped": planned.skip or None,
    }


def _step(step: Step) -> Json:
    return {
        "channel": step.channel,
        "timeout": format_duration(step.timeout_ms),
        "max_retries": step.max_retries,
        "retry_backoff": _backoff(step.backoff),
        "require_channel_registered": step.require_channel_registered,
        "delivery_window": _window(step.window) if step.window else None,
    }


def _backoff(backoff: Backoff) -> Json:
    view: Json = {
        "type": backoff.type,
        "base": format_duration(backoff.base_ms),
        "max": format_duration(backoff.max_ms),
    }
    if backoff.type == "linear":
        view["increment"] = format_duration(backoff.increment_ms)
    return view


def _window(window: DeliveryWindow) -> Json:
    return {
        "start": format_time_of_day(window.start_minute),
        "end": format_time_of_day(window.end_minute),
        "timezone": window.timezone,
        "days": [DAYS[day - 1] for day in window.days],
    }


def _price(amount_micros: int, currency: str) -> Json:
    return {"amount_micros": amount_micros, "currency": currency} if currency else {"amount_micros": amount_micros}


def _moment(at_ms: int) -> str | None:
    return format_rfc3339(at_ms) if at_ms else None
