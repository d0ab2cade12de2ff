"""The answer to a submission: accepted, or refused by one layer with everything that the client needs to know."""

from dataclasses import dataclass

from domain.errors import Code, FieldError
from domain.evolve import quick


@dataclass(frozen=True, slots=True)
class Reject:
    """A refusal by one layer. Fields that do not belong to `code` keep their empty value."""

    layer: int
    code: Code
    message: str
    errors: tuple[FieldError, ...] = ()
    retry_after_ms: int = 0
    limit: int = 0
    reset_at_ms: int = 0
    balance_micros: int = 0
    required_micros: int = 0
    compliance_code: str = ""
    regulation: str = ""
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Defer:
    """A layer lets the message pass, but step n must not be sent before `not_before_ms[n]` (zero: at any time)."""

    not_before_ms: tuple[int, ...]
    reason: str


@quick
@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gateway is told about one submission; `reject` is None for accepted.

    `submission_id` is the id that the gateway gave; `message_id` differs from it when an earlier answer is repeated.
    `report` is the JSON explanation that a dry run asks for. `limit` and `remaining` feed the rate-limit headers.
    """

    submission_id: str
    message_id: str
    tenant_id: str
    created_at_ms: int
    reject: Reject | None = None
    replayed: bool = False
    limit: int = 0
    remaining: int = 0
    reset_at_ms: int = 0
    report: str = ""
