"""From a body that was parsed to the Submission that goes to the desk; what is wrong with it travels inside."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from domain.cascade.rule import CascadeRule
from domain.errors import FieldError
from domain.message import SendRequest, Submission, SubmissionKind
from domain.tenant import ApiKey
from ingress.bodies import SendBody
from ingress.fields import field_errors
from ingress.http.services import Services
from ingress.normalise import fingerprint_of, normalise

MAX_IDEMPOTENCY_KEY_CHARS = 255
IDEMPOTENCY_HEADER = "Idempotency-Key"

_SEND = TypeAdapter(SendBody)
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_KEY_PATH = "idempotency_key"
_BAD_KEY = FieldError(
    _KEY_PATH, "bad_format", f"must be 1 to {MAX_IDEMPOTENCY_KEY_CHARS} printable characters, written once"
)
_TWO_KEYS = FieldError(_KEY_PATH, "conflict", "must not differ from the header Idempotency-Key")


@dataclass(frozen=True, slots=True)
class Draft:
    """One item as it was read; `body` is None when it could not be, and `errors` says why."""

    body: SendBody | None
    errors: tuple[FieldError, ...]
    idempotency_key: str
    fingerprint: bytes

    @property
    def rule_id(self) -> str:
        """The rule that the item refers to, empty for none."""
        if self.body is None or self.body.routing.type != "cascade_rule":
            return ""
        return self.body.routing.cascade_rule_id or ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the items of one request share. Without a `trace_id` each item begins a trace that has its own id."""

    key: ApiKey
    kind: SubmissionKind
    received_at_ms: int
    trace_id: str


def draft_of(value: object, header_key: str | None, suffix: str = "") -> Draft:
    """Read one item; `header_key` is what the header says, None for no header; `suffix` goes behind it."""
    body: SendBody | None = None
    errors: tuple[FieldError, ...] = ()
    try:
        body = _SEND.validate_python(value)
    except ValidationError as error:
        errors = field_errors(error)
    field_key = value.get(_KEY_PATH) if isinstance(value, dict) else None
    idempotency_key, wrong = _idempotency_key(field_key, header_key)
    if idempotency_key and field_key is None:
        idempotency_key += suffix
    return Draft(body, (*errors, *wrong), idempotency_key, fingerprint_of(value))


def header_key_of(request: web.Request) -> str | None:
    """The header Idempotency-Key without the quotes that its draft asks for; empty, thus refused, when there are two."""
    values = request.headers.getall(IDEMPOTENCY_HEADER, ())
    if not values:
        return None
    if len(values) > 1:
        return ""
    text: str = values[0].strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def trace_id_of(request: web.Request) -> str:
    """The trace id of the W3C header traceparent, 32 hex digits; empty for no such header."""
    match = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    return match[1] if match else ""


async def rules_of(services: Services, tenant_id: str, drafts: Iterable[Draft]) -> dict[str, CascadeRule]:
    """The rules that the drafts refer to, by id; at most one question to the directory however many there are."""
    wanted = {draft.rule_id for draft in drafts} - {""}
    if not wanted:
        return {}
    found = {rule_id: rule for rule_id in wanted if (rule := services.config.rule(tenant_id, rule_id)) is not None}
    missing = wanted - found.keys()
    if len(missing) == 1:
        rule = await services.directory.rule(tenant_id, missing.pop())
        if rule is not None:
            found[rule.rule_id] = rule
    elif missing:
        found |= {r.rule_id: r for r in await services.directory.rules(tenant_id) if r.rule_id in missing}
    return found


def submission_of(services: Services, draft: Draft, rule: CascadeRule | None, origin: Origin) -> Submission:
    """The submission of one draft: its request, or the errors that layer 5 answers with."""
    request: SendRequest | None = None
    errors = draft.errors
    if draft.body is not None:
        normal = normalise(draft.body, rule)
        if isinstance(normal, tuple):
            errors = (*errors, *normal)
        elif not errors:
            request = normal
    new_id = services.new_id()
    return Submission(
        message_id=f"msg-{new_id}",
        tenant_id=origin.key.tenant_id,
        key_id=origin.key.key_id,
        kind=origin.kind,
        protocol="rest",
        slot=services.desk.slot,
        idempotency_key=draft.idempotency_key,
        fingerprint=draft.fingerprint,
        received_at_ms=origin.received_at_ms,
        config_version=services.config.version,
        trace_id=origin.trace_id or new_id.replace("-", ""),
        request=request,
        errors=errors,
    )


def _idempotency_key(field_key: object, header_key: str | None) -> tuple[str, tuple[FieldError, ...]]:
    """The key of an item, empty when there is none or when it is wrong. A field of another type is told by its schema."""
    if field_key is not None and not isinstance(field_key, str):
        return "", ()
    if field_key is not None and header_key is not None and field_key != header_key:
        return "", (_TWO_KEYS,)
    key = header_key if field_key is None else field_key
    if key is None:
        return "", ()
    if not 0 < len(key) <= MAX_IDEMPOTENCY_KEY_CHARS or not key.isprintable():
        return "", (_BAD_KEY,)
    return key, ()
