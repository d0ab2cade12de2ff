"""A refusal as a value, and as the problem document that a client gets (RFC 9457) with the fields of the API contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from domain.errors import Code, FieldError, status_of, title_of

PROBLEM_TYPE = "application/problem+json"
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is refused; `extra` are members and `headers` headers that belong to its code alone."""

    code: Code
    detail: str
    errors: tuple[FieldError, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusalError(Exception):
    """Ends a request with its problem; only the door catches it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def refuse(code: Code, detail: str, errors: tuple[FieldError, ...] = (), **headers: str) -> RefusalError:
    """A refusal to raise; a keyword `Retry_After="1"` becomes the header `Retry-After: 1`."""
    return RefusalError(
        Problem(code, detail, errors, {}, {name.replace("_", "-"): value for name, value in headers.items()})
    )


def members(problem: Problem, public_url: str) -> Json:
    """The members of the document, without those that name one occurrence.

    `error` and `message` repeat `code` and `detail` under the names of the API contract.
    """
    return {
        "type": f"{public_url}/docs/errors#{problem.code}",
        "title": title_of(problem.code),
        "status": status_of(problem.code),
        "detail": problem.detail,
        "code": problem.code,
        "error": problem.code,
        "message": problem.detail,
        "errors": [{"path": one.path, "code": one.code, "message": one.message} for one in problem.errors],
        **problem.extra,
    }


def problem_response(problem: Problem, public_url: str, request_id: str, instance: str) -> web.Response:
    """The response that carries the problem; `instance` is the path that was asked for."""
    document = members(problem, public_url)
    document["instance"] = instance
    document["request_id"] = request_id
    headers = {"Content-Type": PROBLEM_TYPE, "Cache-Control": "no-store", **problem.headers}
    response = web.Response(body=orjson.dumps(document), status=status_of(problem.code), headers=headers)
    if "Connection" in problem.headers:
        response.force_close()
    return response


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A response with JSON that no cache may keep."""
    fields = {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})}
    return web.Response(body=orjson.dumps(value), status=status, headers=fields)
