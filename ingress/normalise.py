"""A body that has been read becomes the one request that every protocol hands in, or the list of what is wrong with it."""

import hashlib
from functools import lru_cache
from typing import Any

import orjson

from domain.cascade.rule import DEFAULT_MAX_DURATION_MS, DEFAULT_STEP_TIMEOUT_MS, CascadeRule, Step
from domain.delivery import Channel
from domain.errors import FieldError
from domain.message import Body, Recipient, SendRequest
from ingress.addresses import parse_phone
from ingress.bodies import ContentBody, RecipientBody, RoutingBody, SendBody

RULE_PATH = "routing.cascade_rule_id"
DEFAULT_MAX_RETRIES = Step("sms").max_retries
STEPS_KEPT = 4_096

_ADDRESSES = ("email", "phone", "device_token", "user_id")
_ROUTES = {"cascade_rule": "cascade_rule_id", "channels": "channels", "direct": "direct_channel"}


def normalise(body: SendBody, rule: CascadeRule | None) -> SendRequest | tuple[FieldError, ...]:
    """The request that `body` stands for; `rule` is the tenant's rule that it names, None when there is no such rule.

    A tuple answers instead when fields contradict each other or the rule is unknown: every reason, not the first.
    """
    errors = (*_wrong_recipient(body.to), *_wrong_content(body.body), *_wrong_routing(body.routing, rule))
    if errors:
        return errors
    to, content, routing = body.to, body.body, body.routing
    phone = parse_phone(to.phone) if to.phone else None
    confirmation = routing.confirmation_level or (rule.confirmation if rule else "delivered")
    longest_ms = rule.max_duration_ms if rule else DEFAULT_MAX_DURATION_MS
    return SendRequest(
        to=Recipient(to.type, to.email or "", to.phone or "", to.device_token or "", to.user_id or ""),
        body=Body(content.text, content.html, content.subject, content.template_id, _variables(content.template_vars)),
        steps=_steps(routing, rule),
        confirmation=confirmation,
        max_duration_ms=routing.max_cascade_duration or longest_ms,
        rule_id=routing.cascade_rule_id or "",
        metadata=body.metadata,
        reference=body.reference,
        send_at_ms=body.send_at or 0,
        sender=body.sender,
        timezone=phone.timezone if phone else "UTC",
    )


def fingerprint_of(value: object) -> bytes:
    """SHA-256 of the canonical JSON of a body: keys sorted, no spaces, without its idempotency key.

    `value` is what orjson read: numbers beyond 64 bits are floats in it.
    """
    if isinstance(value, dict) and "idempotency_key" in value:
        value = {name: part for name, part in value.items() if name != "idempotency_key"}
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).digest()


def _variables(values: dict[str, Any] | None) -> str:
    return orjson.dumps(values).decode() if values else ""


def _steps(routing: RoutingBody, rule: CascadeRule | None) -> tuple[Step, ...]:
    if rule is not None:
        return rule.steps
    if routing.direct_channel is not None:
        return (Step(routing.direct_channel),)
    return tuple(_step(wanted.channel, wanted.timeout, wanted.max_retries) for wanted in routing.channels or ())


@lru_cache(maxsize=STEPS_KEPT)
def _step(channel: Channel, timeout_ms: int | None, max_retries: int | None) -> Step:
    """The step of an inline cascade; a tenant writes the same few over and over."""
    return Step(
        channel,
        DEFAULT_STEP_TIMEOUT_MS if timeout_ms is None else timeout_ms,
        DEFAULT_MAX_RETRIES if max_retries is None else max_retries,
    )


def _wrong_recipient(to: RecipientBody) -> tuple[FieldError, ...]:
    given = [name for name in _ADDRESSES if getattr(to, name) is not None]
    if to.type == "multi":
        return () if given else (FieldError("to", "missing", "must have at least one address"),)
    if given == [to.type]:
        return ()
    errors = [
        FieldError(f"to.{name}", "not_allowed", f"must not be in a recipient of type '{to.type}'; use 'multi'")
        for name in given
        if name != to.type
    ]
    if to.type not in given:
        errors.insert(0, FieldError(f"to.{to.type}", "missing", f"is required by a recipient of type '{to.type}'"))
    return tuple(errors)


def _wrong_content(content: ContentBody) -> tuple[FieldError, ...]:
    if content.text or content.html or content.template_id:
        return ()
    return (FieldError("body.text", "missing", "is required where there is no HTML and no template"),)


def _wrong_routing(routing: RoutingBody, rule: CascadeRule | None) -> tuple[FieldError, ...]:
    needed = _ROUTES[routing.type]
    given = [name for name in _ROUTES.values() if getattr(routing, name) is not None]
    errors = [
        FieldError(f"routing.{name}", "not_allowed", f"must not be in a routing of type '{routing.type}'")
        for name in given
        if name != needed
    ]
    if needed not in given:
        errors.insert(
            0, FieldError(f"routing.{needed}", "missing", f"is required by a routing of type '{routing.type}'")
        )
    elif needed == "cascade_rule_id" and rule is None:
        errors.append(FieldError(RULE_PATH, "unknown_rule", "must be the id of one of your cascade rules"))
    return tuple(errors)
