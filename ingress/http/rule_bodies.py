"""What a client may write to make or replace a cascade rule, and the rule that it stands for."""

from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from domain.cascade.rule import (
    DEFAULT_MAX_DURATION_MS,
    DEFAULT_STEP_TIMEOUT_MS,
    MAX_STEP_TIMEOUT_MS,
    MAX_STEPS,
    Backoff,
    BackoffType,
    CascadeRule,
    ConfirmationLevel,
    DeliveryWindow,
    Step,
)
from domain.delivery import Channel
from ingress.bodies import MaxDuration, Retries, Strict, Timeout
from ingress.wire_types import NO_CONTROLS, RECIPIENT_ZONE, TimeOfDay, Timezone, duration

MAX_NAME_CHARS = 200

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)

_Pause = Annotated[int, *duration(1, MAX_STEP_TIMEOUT_MS)]


class BackoffBody(Strict):
    """How long to wait before each retry; `increment` belongs to `linear`."""

    type: BackoffType
    base: _Pause = Backoff().base_ms
    max: _Pause = Backoff().max_ms
    increment: _Pause = Backoff().increment_ms

    @model_validator(mode="after")
    def _base_below_max(self) -> "BackoffBody":
        if self.base > self.max:
            raise PydanticCustomError("out_of_range", "Input should have a base of at most max")
        return self


class WindowBody(Strict):
    """The part of the day in which a step may be sent; it may wrap midnight."""

    start: TimeOfDay
    end: TimeOfDay
    timezone: Timezone = RECIPIENT_ZONE
    days: Annotated[list[Day], Field(default_factory=lambda: list(DAYS), min_length=1, max_length=len(DAYS))]

    @model_validator(mode="after")
    def _opens(self) -> "WindowBody":
        if self.start == self.end:
            raise PydanticCustomError("out_of_range", "Input should end at another time than it starts")
        return self


class StepBody(Strict):
    """One step of a rule."""

    channel: Channel
    timeout: Timeout = DEFAULT_STEP_TIMEOUT_MS
    max_retries: Retries = Step("sms").max_retries
    retry_backoff: BackoffBody | None = None
    require_channel_registered: bool = False
    delivery_window: WindowBody | None = None


class RuleBody(Strict):
    """A cascade rule as a whole."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_CHARS, pattern=NO_CONTROLS)]
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=MAX_STEPS)]
    max_cascade_duration: MaxDuration = DEFAULT_MAX_DURATION_MS
    confirmation_level: ConfirmationLevel = "delivered"


def rule_of(body: RuleBody, tenant_id: str, rule_id: str, version: int) -> CascadeRule:
    """The rule that `body` describes."""
    return CascadeRule(
        rule_id=rule_id,
        tenant_id=tenant_id,
        name=body.name,
        steps=tuple(_step(step) for step in body.steps),
        max_duration_ms=body.max_cascade_duration,
        confirmation=body.confirmation_level,
        version=version,
    )


def _step(body: StepBody) -> Step:
    retry, window = body.retry_backoff, body.delivery_window
    return Step(
        channel=body.channel,
        timeout_ms=body.timeout,
        max_retries=body.max_retries,
        backoff=Backoff(retry.type, retry.base, retry.max, retry.increment) if retry else Backoff(),
        require_channel_registered=body.require_channel_registered,
        window=_window(window) if window else None,
    )


def _window(body: WindowBody) -> DeliveryWindow:
    days = tuple(sorted({DAYS.index(day) + 1 for day in body.days}))
    return DeliveryWindow(body.start, body.end, body.timezone, days)
