"""The one door that every request passes: its id, the limit on requests at once, the deadline, and every error as a problem."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import structlog
from aiohttp import web

from domain.errors import CODES, Code, PermanentError, TransientError, status_of, title_of
from ingress.http.answers import overloaded
from ingress.http.problems import Problem, RefusalError, problem_response
from ingress.http.services import Services

MAX_REQUESTS_AT_ONCE = 2_000
REQUEST_TIMEOUT_S = 30.0
REQUEST_ID_HEADER = "X-Request-Id"
UNWATCHED_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Answered even when the gateway is full: a full gateway must not be restarted for it."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SANE_ID = re.compile(r"[\x21-\x7e]{1,128}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
_FULL = Problem("overloaded", "Too many requests at once; try again", (), {"retry_after": 1}, {"Retry-After": "1"})
_LATE = Problem("overloaded", "The answer took too long; try again", (), {"retry_after": 1}, {"Retry-After": "1"})

_log = structlog.get_logger()


@dataclass(slots=True)
class Door:
    """Counts the requests inside; `admit` is the only middleware of the application."""

    services: Services
    most: int = MAX_REQUESTS_AT_ONCE
    timeout_s: float = REQUEST_TIMEOUT_S
    inside: int = 0

    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The handler's response, or the problem that it ended in; each carries the request's id and is counted."""
        started = perf_counter()
        request_id = request.headers.get(REQUEST_ID_HEADER, "")
        if not _SANE_ID.fullmatch(request_id):
            request_id = self.services.new_id()
        if self.inside >= self.most and request.path not in UNWATCHED_PATHS:
            response: web.StreamResponse = self._problem(_FULL, request, request_id)
        else:
            self.inside += 1
            try:
                response = await self._answer(request, handler, request_id)
            finally:
                self.inside -= 1
        response.headers[REQUEST_ID_HEADER] = request_id
        resource = request.match_info.route.resource
        endpoint = resource.canonical if resource is not None else "unmatched"
        method = request.method if request.method in _METHODS else "other"
        self.services.meter.request(endpoint, method, response.status, perf_counter() - started)
        return response

    async def _answer(self, request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
        try:
            async with asyncio.timeout(self.timeout_s):
                return await handler(request)
        except RefusalError as refusal:
            return self._problem(refusal.problem, request, request_id)
        except web.HTTPException as error:
            return self._from_aiohttp(error, request, request_id)
        except TransientError as error:
            _log.warning("request_not_answered_in_time", request_id=request_id, reason=str(error))
            return self._problem(overloaded(error), request, request_id)
        except PermanentError as error:
            return self._problem(Problem(error.code, str(error)), request, request_id)
        except TimeoutError:
            _log.warning("request_not_answered_in_time", request_id=request_id, reason="deadline")
            return self._problem(_LATE, request, request_id)
        except Exception:  # noqa: BLE001 - the last resort of a server: the log gets everything, the client nothing
            _log.exception("request_failed", request_id=request_id, method=request.method)
            return self._problem(Problem("internal_error", "Hermes failed; the error is logged"), request, request_id)

    def _from_aiohttp(self, error: web.HTTPException, request: web.Request, request_id: str) -> web.StreamResponse:
        """The problem for what aiohttp itself refuses; a redirection passes as it is."""
        if isinstance(error, web.HTTPMethodNotAllowed):
            allowed = ", ".join(sorted(error.allowed_methods))
            problem = Problem("method_not_allowed", f"Allowed here: {allowed}", headers={"Allow": allowed})
        elif isinstance(error, web.HTTPNotFound):
            problem = Problem("not_found", "There is no such resource; see /docs")
        elif error.status >= 400:
            code: Code = next((one for one in CODES if status_of(one) == error.status), "internal_error")
            problem = Problem(code, title_of(code))
        else:
            return error
        return self._problem(problem, request, request_id)

    def _problem(self, problem: Problem, request: web.Request, request_id: str) -> web.Response:
        return problem_response(problem, self.services.public_url, request_id, request.rel_url.raw_path)
