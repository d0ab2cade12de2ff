"""The steps as layer 5 sees them: their number, time-outs, retries, back-off and delivery windows."""

from collections.abc import Iterator
from typing import Final

from domain.cascade.rule import (
    MAX_DURATION_MS,
    MAX_RETRIES,
    MAX_STEP_TIMEOUT_MS,
    MAX_STEPS,
    Backoff,
    DeliveryWindow,
    Step,
)
from domain.compliance.zones import is_zone
from domain.errors import FieldError
from domain.message import SendRequest

MAX_BACKOFF_MS: Final = MAX_STEP_TIMEOUT_MS
_DAY_MINUTES: Final = 24 * 60
_WEEKDAYS: Final = frozenset(range(1, 8))


def routing_errors(request: SendRequest) -> Iterator[FieldError]:
    """What is wrong with `routing`; steps of a rule are named under `routing.cascade_rule`, inline ones under `channels`."""
    base = "routing.cascade_rule.steps" if request.rule_id else "routing.channels"
    if not 1 <= request.max_duration_ms <= MAX_DURATION_MS:
        yield FieldError("routing.max_cascade_duration", "out_of_range", f"must be 1 to {MAX_DURATION_MS} ms")
    yield from steps_errors(request.steps, base)


def steps_errors(steps: tuple[Step, ...], base: str) -> Iterator[FieldError]:
    """What is wrong with `steps`, which stand at the path `base`; of too many only the first are looked at."""
    if not 1 <= len(steps) <= MAX_STEPS:
        yield FieldError(base, "out_of_range", f"must be 1 to {MAX_STEPS} steps")
    for n, step in enumerate(steps[:MAX_STEPS]):
        path = f"{base}.{n}"
        if not 1 <= step.timeout_ms <= MAX_STEP_TIMEOUT_MS:
            yield FieldError(f"{path}.timeout", "out_of_range", f"must be 1 to {MAX_STEP_TIMEOUT_MS} ms")
        if not 0 <= step.max_retries <= MAX_RETRIES:
            yield FieldError(f"{path}.max_retries", "out_of_range", f"must be 0 to {MAX_RETRIES}")
        yield from _backoff_errors(step.backoff, f"{path}.retry_backoff")
        if step.window is not None:
            yield from _window_errors(step.window, f"{path}.delivery_window")


def _backoff_errors(backoff: Backoff, path: str) -> Iterator[FieldError]:
    if not 1 <= backoff.base_ms <= MAX_BACKOFF_MS:
        yield FieldError(f"{path}.base", "out_of_range", f"must be 1 to {MAX_BACKOFF_MS} ms")
    if not 1 <= backoff.max_ms <= MAX_BACKOFF_MS:
        yield FieldError(f"{path}.max", "out_of_range", f"must be 1 to {MAX_BACKOFF_MS} ms")
    elif backoff.base_ms > backoff.max_ms:
        yield FieldError(f"{path}.max", "out_of_range", "must not be less than base")
    if backoff.type == "linear" and not 0 <= backoff.increment_ms <= MAX_BACKOFF_MS:
        yield FieldError(f"{path}.increment", "out_of_range", f"must be 0 to {MAX_BACKOFF_MS} ms")


def _window_errors(window: DeliveryWindow, path: str) -> Iterator[FieldError]:
    if not 0 <= window.start_minute < _DAY_MINUTES:
        yield FieldError(f"{path}.start", "out_of_range", "must be 00:00 to 23:59")
    if not 0 <= window.end_minute <= _DAY_MINUTES:
        yield FieldError(f"{path}.end", "out_of_range", "must be 00:00 to 24:00")
    if not window.days or not set(window.days) <= _WEEKDAYS:
        yield FieldError(f"{path}.days", "out_of_range", "must be ISO weekdays, 1 to 7, at least one")
    if window.timezone != "recipient" and not is_zone(window.timezone):
        yield FieldError(f"{path}.timezone", "unknown_timezone", "must be an IANA time zone, or recipient")
