"""A tenant's delivery strategy: the steps to walk, how long to wait, how to retry, when to be allowed."""

from dataclasses import dataclass
from typing import Literal

from domain.delivery import Channel

ConfirmationLevel = Literal["sent", "delivered", "read"]
BackoffType = Literal["fixed", "linear", "exponential"]

MAX_STEPS = 10
MAX_RETRIES = 10
DEFAULT_STEP_TIMEOUT_MS = 60_000
DEFAULT_MAX_DURATION_MS = 24 * 3600 * 1000
MAX_DURATION_MS = 7 * 24 * 3600 * 1000
MAX_STEP_TIMEOUT_MS = 72 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before retry n: fixed `base`, linear `base + n*increment`, exponential `base * 2**n`, at most `max`."""

    type: BackoffType = "exponential"
    base_ms: int = 1_000
    max_ms: int = 60_000
    increment_ms: int = 1_000


@dataclass(frozen=True, slots=True)
class DeliveryWindow:
    """The part of the day in which a step may be sent, in minutes after midnight of `timezone`; `end` may wrap midnight.

    `timezone` is an IANA name, or `recipient` for the zone of the recipient's number. `days` are ISO weekdays, 1 to 7.
    """

    start_minute: int
    end_minute: int
    timezone: str = "recipient"
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True, slots=True)
class Step:
    """One channel to try: how long a confirmation may take after it was sent, and how often a temporary failure is retried."""

    channel: Channel
    timeout_ms: int = DEFAULT_STEP_TIMEOUT_MS
    max_retries: int = 3
    backoff: Backoff = Backoff()
    require_channel_registered: bool = False
    window: DeliveryWindow | None = None


@dataclass(frozen=True, slots=True)
class CascadeRule:
    """A named strategy that a tenant keeps and refers to by `rule_id`."""

    rule_id: str
    tenant_id: str
    name: str
    steps: tuple[Step, ...]
    max_duration_ms: int = DEFAULT_MAX_DURATION_MS
    confirmation: ConfirmationLevel = "delivered"
    version: int = 1


def backoff_ms(backoff: Backoff, retry: int) -> int:
    """The wait before retry number `retry`, counted from 1."""
    match backoff.type:
        case "fixed":
            wait = backoff.base_ms
        case "linear":
            wait = backoff.base_ms + (retry - 1) * backoff.increment_ms
        case "exponential":
            wait = backoff.base_ms << min(retry - 1, 32)
    return min(wait, backoff.max_ms)
