"""What the API answers about messages, field by field: only a description, which OpenAPI shows and the tests hold to be true."""

from pydantic import BaseModel, ConfigDict

from domain.cascade.rule import BackoffType, ConfirmationLevel
from domain.cascade.states import AttemptState, StateName
from domain.delivery import Channel
from domain.errors import Code
from domain.tenant import ChargeOn
from ingress.http.rule_bodies import Day


class Shape(BaseModel):
    """An answer without any field besides its own."""

    model_config = ConfigDict(extra="forbid")


class FieldProblem(Shape):
    """One thing wrong with one field; `path` is dotted."""

    path: str
    code: str
    message: str


class ProblemItem(BaseModel):
    """Why one item of a batch was refused (RFC 9457); more members belong to some codes."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: Code
    error: Code
    message: str
    errors: list[FieldProblem]


class ProblemDocument(ProblemItem):
    """Why a request was refused (RFC 9457); `error` and `message` repeat `code` and `detail`."""

    instance: str
    request_id: str


class AcceptedMessage(Shape):
    """A message that will be delivered; it survives any crash from here on."""

    message_id: str
    status: str
    tracking_url: str
    created_at: str


class BatchResult(BaseModel):
    """What became of one item: the fields of an accepted message, or its error."""

    model_config = ConfigDict(extra="forbid")

    index: int
    status: str
    replayed: bool = False
    message_id: str = ""
    tracking_url: str = ""
    created_at: str = ""
    error: ProblemItem | None = None


class BatchReport(Shape):
    """One result for each item, in their order."""

    results: list[BatchResult]
    accepted: int
    rejected: int


class DryRun(BaseModel):
    """What would happen to the message: the word of each layer, the plan, the routes, the price."""

    model_config = ConfigDict(extra="allow")


class Price(BaseModel):
    """Money in millionths of the currency's unit."""

    model_config = ConfigDict(extra="forbid")

    amount_micros: int
    currency: str = ""


class BackoffShape(BaseModel):
    """How long to wait before each retry."""

    model_config = ConfigDict(extra="forbid")

    type: BackoffType
    base: str
    max: str
    increment: str = ""


class WindowShape(Shape):
    """The part of the day in which a step may be sent."""

    start: str
    end: str
    timezone: str
    days: list[Day]


class StepShape(Shape):
    """One step of a rule."""

    channel: Channel
    timeout: str
    max_retries: int
    retry_backoff: BackoffShape
    require_channel_registered: bool
    delivery_window: WindowShape | None


class PlannedStepShape(StepShape):
    """A step of one message; `skipped` says why it will not be tried."""

    segments: int
    not_before: str | None
    skipped: str | None


class PlanShape(Shape):
    """The rule as it was when the message was accepted."""

    rule_id: str | None
    steps: list[PlannedStepShape]
    max_cascade_duration: str
    confirmation_level: ConfirmationLevel
    charge_on: ChargeOn


class StatusShape(Shape):
    """Where the cascade stands; `step` counts from 0."""

    state: StateName
    step: int
    channel: Channel | None
    deadline: str | None
    next_at: str | None


class AttemptStatusShape(Shape):
    """What became of one attempt."""

    state: AttemptState
    code: str
    message: str


class AttemptShape(Shape):
    """One try of one step; `number` counts from 1."""

    number: int
    step: int
    channel: Channel
    adapter_id: str | None
    status: AttemptStatusShape
    provider_message_id: str | None
    provider_message_ids: list[str]
    error: str | None
    started_at: str
    completed_at: str | None
    late: bool
    redundant: bool
    unknown: bool
    segments: int
    price: Price


class MessageState(Shape):
    """The state of a message; `confirmed_by` is the number of the attempt that reached the recipient."""

    message_id: str
    tenant_id: str
    rule: PlanShape
    current_step: int
    status: StatusShape
    attempts: list[AttemptShape]
    created_at: str
    updated_at: str
    send_at: str | None
    expires_at: str
    confirmed_by: int | None
    price: Price
    reserved: Price
    reference: str
    links: dict[str, str]


class EventShape(Shape):
    """One line of a timeline."""

    at: str
    event: str
    attempt: int | None
    detail: str
    step: int | None
    channel: Channel | None
    adapter_id: str | None


class Timeline(Shape):
    """Everything that happened to a message, oldest first."""

    message_id: str
    state: StateName
    events: list[EventShape]
    links: dict[str, str]
