"""The route table: every endpoint with its scope, its body, its answers and its refusals. Router and OpenAPI read it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel

from domain.errors import Code
from domain.tenant import Scope
from ingress.bodies import BatchBody, SendBody
from ingress.http import account_shapes, shapes
from ingress.http.account import AccountPages, KeyBody
from ingress.http.health import Health
from ingress.http.messages import Messages
from ingress.http.rule_bodies import RuleBody
from ingress.http.rules import Rules
from ingress.http.services import Services
from ingress.http.submit import Submits
from schemas.unsubscribe import PATH

Tag = Literal["messages", "cascade rules", "account", "recipients", "operations"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BODY: Final[tuple[Code, ...]] = ("invalid_json", "payload_too_large", "unsupported_media_type", "validation_failed")
KEY: Final[tuple[Code, ...]] = ("unauthorized", "forbidden", "tenant_deactivated")
LAYERS: Final[tuple[Code, ...]] = (
    "unauthorized", "forbidden", "tenant_provisioning", "tenant_suspended", "tenant_deactivated",
    "idempotency_key_reused", "idempotency_in_progress", "rate_limit_exceeded", "insufficient_balance",
    "compliance_blocked", "content_violation", "no_route",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row: `answer` is the shape of `status`, None for no body or for `media_type`; `codes` are its refusals."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    handler: Handler
    name: str
    summary: str
    tag: Tag
    status: int = 200
    scope: Scope | None = None
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    codes: tuple[Code, ...] = ()
    idempotent: bool = False
    media_type: str = "application/json"


def endpoints(services: Services) -> tuple[Endpoint, ...]:
    """All endpoints but the pages that are made from them."""
    return (
        *_message_endpoints(services),
        *_rule_endpoints(services),
        *_account_endpoints(services),
        *_unsubscribing(services),
        *_health(services),
    )


def _message_endpoints(services: Services) -> tuple[Endpoint, ...]:
    submits, messages = Submits(services), Messages(services)
    one = "/v1/messages/{id}"
    return (
        Endpoint(
            "POST", "/v1/messages/send", submits.send, "sendMessage", "Send a message", "messages",
            202, "send", SendBody, shapes.AcceptedMessage, (*BODY, *LAYERS), idempotent=True,
        ),
        Endpoint(
            "POST", "/v1/messages/batch", submits.batch, "sendBatch",
            "Send up to 1,000 messages; each gets its own answer", "messages",
            200, "send", BatchBody, shapes.BatchReport, (*BODY, "unauthorized", "rate_limit_exceeded"), idempotent=True,
        ),
        Endpoint(
            "POST", "/v1/messages/validate", submits.validate, "validateMessage",
            "Explain what would happen to a message, without sending it", "messages",
            200, "send", SendBody, shapes.DryRun, (*BODY, *LAYERS),
        ),
        Endpoint(
            "GET", one, messages.show, "getMessage", "The state of a message and its attempts", "messages",
            200, "read", None, shapes.MessageState, (*KEY, "not_found"),
        ),
        Endpoint(
            "GET", f"{one}/events", messages.events, "getMessageEvents", "The timeline of a message", "messages",
            200, "read", None, shapes.Timeline, (*KEY, "not_found"),
        ),
        Endpoint(
            "POST", f"{one}/cancel", messages.cancel, "cancelMessage", "Stop a message; repeating it is fine", "messages",
            200, "send", None, shapes.MessageState, (*KEY, "not_found", "conflict"),
        ),
    )  # fmt: skip


def _rule_endpoints(services: Services) -> tuple[Endpoint, ...]:
    rules = Rules(services)
    path, one = "/v1/cascade-rules", "/v1/cascade-rules/{id}"
    return (
        Endpoint(
            "GET", path, rules.index, "listCascadeRules", "List cascade rules", "cascade rules",
            200, "read", None, account_shapes.RuleList, KEY,
        ),
        Endpoint(
            "POST", path, rules.create, "createCascadeRule", "Create a cascade rule", "cascade rules",
            201, "admin", RuleBody, account_shapes.RuleShape, (*BODY, *KEY, "conflict"),
        ),
        Endpoint(
            "GET", one, rules.show, "getCascadeRule", "One cascade rule", "cascade rules",
            200, "read", None, account_shapes.RuleShape, (*KEY, "not_found"),
        ),
        Endpoint(
            "PUT", one, rules.replace, "replaceCascadeRule", "Replace a cascade rule", "cascade rules",
            200, "admin", RuleBody, account_shapes.RuleShape, (*BODY, *KEY, "not_found"),
        ),
    )  # fmt: skip


def _account_endpoints(services: Services) -> tuple[Endpoint, ...]:
    pages = AccountPages(services)
    path = "/v1/tenants/api-keys"
    return (
        Endpoint(
            "GET", "/v1/tenants/me", pages.me, "getTenant", "Profile, limits and balance of your tenant", "account",
            200, "read", None, account_shapes.Profile, (*KEY, "tenant_provisioning"),
        ),
        Endpoint(
            "GET", path, pages.keys, "listApiKeys", "List API keys", "account",
            200, "read", None, account_shapes.KeyList, KEY,
        ),
        Endpoint(
            "POST", path, pages.create_key, "createApiKey", "Make an API key; its secret is shown once", "account",
            201, "admin", KeyBody, account_shapes.NewKeyShape, (*BODY, *KEY, "conflict"),
        ),
        Endpoint(
            "DELETE", f"{path}/{{id}}", pages.revoke_key, "revokeApiKey", "Revoke an API key", "account",
            204, "admin", None, None, (*KEY, "not_found"),
        ),
    )  # fmt: skip


def _unsubscribing(services: Services) -> tuple[Endpoint, ...]:
    unsubscribe, path = services.unsubscribe, f"{PATH}{{token}}"
    if unsubscribe is None:
        return ()
    return (
        Endpoint(
            "GET", path, unsubscribe.page, "showUnsubscribe", "The page behind a recipient's link", "recipients",
            codes=("not_found",), media_type="text/html",
        ),
        Endpoint(
            "POST", path, unsubscribe.leave, "unsubscribe", "Nothing more is sent to the recipient (RFC 8058)",
            "recipients", codes=("not_found",), media_type="text/html",
        ),
    )  # fmt: skip


def _health(services: Services) -> tuple[Endpoint, ...]:
    health = Health(services)
    return (
        Endpoint("GET", "/healthz", health.alive, "healthz", "Is it alive", "operations", answer=account_shapes.Alive),
        Endpoint("GET", "/readyz", health.ready, "readyz", "Is it ready; 503 names what is not", "operations",
                 answer=account_shapes.Ready),
        Endpoint("GET", "/metrics", health.metrics, "metrics", "Metrics for Prometheus", "operations",
                 media_type="text/plain"),
    )  # fmt: skip
