"""The OpenAPI 3.1 document, made from the route table and the models that really read and describe the bodies."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from domain.errors import CODES, Code, status_of, title_of
from ingress.http.problems import PROBLEM_TYPE
from ingress.http.routes import Endpoint
from ingress.http.shapes import ProblemDocument

REF = "#/components/schemas/{model}"
EVERYWHERE: tuple[Code, ...] = ("overloaded", "internal_error")
INTRODUCTION = (
    "Send a message once; Hermes walks its cascade of channels until it is confirmed. "
    "Durations are strings such as `500ms`, `30s`, `5m`, `24h`; times are RFC 3339 with an offset; money is in "
    "millionths of the currency's unit. Every response has `X-Request-Id`; every refusal is a problem document "
    "(RFC 9457) with a stable `code`. A key in `Idempotency-Key`, or in the field `idempotency_key`, makes a repeated "
    "request safe for 24 hours; on a batch the header's key gets `/` and the index of each item behind it."
)
_PARAMETER = re.compile(r"\{(\w+)\}")
_RATE_HEADERS = {
    "RateLimit": {"schema": {"type": "string"}, "example": '"tenant";r=99;t=1'},
    "RateLimit-Policy": {"schema": {"type": "string"}, "example": '"tenant";q=100;w=1'},
    "Idempotency-Replayed": {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "The answer was given before, to the same idempotency key.",
    },
}


def openapi(table: Sequence[Endpoint], public_url: str, version: str) -> dict[str, Any]:
    """The whole document for the endpoints of `table`, reached at `public_url`."""
    paths: dict[str, Any] = {}
    for endpoint in table:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, public_url)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hermes", "version": version, "description": INTRODUCTION},
        "servers": [{"url": public_url}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in table)],
        "paths": paths,
        "components": {
            "schemas": _schemas(table),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def problem_example(code: Code, public_url: str) -> dict[str, Any]:
    """A problem document with `code`."""
    return {
        "type": f"{public_url}/docs/errors#{code}",
        "title": title_of(code),
        "status": status_of(code),
        "detail": title_of(code),
        "code": code,
        "error": code,
        "message": title_of(code),
        "errors": [{"path": "to.email", "code": "missing", "message": "is required"}]
        if code == "validation_failed"
        else [],
        **_EXTRAS.get(code, {}),
        "instance": "/v1/messages/send",
        "request_id": "0198d0a5-3c1f-7b5e-9f43-1d1b6c6e8a10",
    }


_EXTRAS: dict[Code, dict[str, Any]] = {
    "rate_limit_exceeded": {"retry_after": 1, "limit": 100, "remaining": 0, "reset_at": "2026-02-10T12:00:01.000Z"},
    "insufficient_balance": {"balance": 0, "required": 45000, "unit": "micros"},
    "compliance_blocked": {"compliance_code": "TCPA_QUIET_HOURS", "regulation": "TCPA"},
    "content_violation": {
        "score": 7.5,
        "violations": [{"path": "body.text", "rule": "shortener_url", "message": "a link shortener"}],
    },
    "overloaded": {"retry_after": 1},
    "idempotency_in_progress": {"retry_after": 1},
}


def _operation(endpoint: Endpoint, public_url: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, public_url),
        "security": [{"bearer": []}, {"apiKey": []}] if endpoint.scope else [],
    }
    if endpoint.scope:
        operation["description"] = f"Needs an API key with the scope `{endpoint.scope}`."
    if endpoint.body is not None:
        content = {"application/json": {"schema": _ref(endpoint.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(endpoint.path)
    ]
    if endpoint.idempotent:
        schema = {"type": "string", "minLength": 1, "maxLength": 255}
        found.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema})
    return found


def _responses(endpoint: Endpoint, public_url: str) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done"}
    if endpoint.answer is not None:
        good["content"] = {"application/json": {"schema": _ref(endpoint.answer)}}
    elif endpoint.media_type != "application/json":
        good["content"] = {endpoint.media_type: {"schema": {"type": "string"}}}
    if endpoint.idempotent:
        good["headers"] = _RATE_HEADERS
    responses = {str(endpoint.status): good}
    wanted = (*endpoint.codes, *EVERYWHERE)
    for status in sorted({status_of(code) for code in wanted}):
        codes = [code for code in CODES if code in wanted and status_of(code) == status]
        responses[str(status)] = _refusal(codes, public_url)
    if endpoint.path == "/readyz":
        responses["503"] = {"description": "Not ready", "content": good["content"]}
    return responses


def _refusal(codes: Sequence[Code], public_url: str) -> dict[str, Any]:
    examples = {code: {"summary": title_of(code), "value": problem_example(code, public_url)} for code in codes}
    return {
        "description": "; ".join(f"`{code}`: {title_of(code)}" for code in codes),
        "content": {PROBLEM_TYPE: {"schema": _ref(ProblemDocument), "examples": examples}},
    }


def _schemas(table: Sequence[Endpoint]) -> dict[str, Any]:
    bodies = [(e.body, "validation") for e in table if e.body is not None]
    answers = [(e.answer, "serialization") for e in table if e.answer is not None]
    models = dict.fromkeys([*bodies, *answers, (ProblemDocument, "serialization")])
    _, document = models_json_schema(list(models), ref_template=REF)  # type: ignore[arg-type]  # modes are literals
    schemas: dict[str, Any] = document["$defs"]
    return schemas


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}
