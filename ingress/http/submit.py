"""The handlers that hand messages in: send, batch and validate."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from domain.message import Submission, SubmissionKind
from domain.tenant import ApiKey, Tenant
from domain.verdict import Verdict
from ingress.bodies import BatchEnvelope
from ingress.fields import field_errors
from ingress.http.answers import BUSY, accepted, explained, item_result, rate_headers
from ingress.http.auth import resolve, resolve_alive
from ingress.http.inflight import IN_PROGRESS, InFlight
from ingress.http.intake import Draft, Origin, draft_of, header_key_of, rules_of, submission_of, trace_id_of
from ingress.http.problems import Problem, RefusalError, json_response, refuse
from ingress.http.reading import read_json
from ingress.http.services import Services

ITEMS_A_TURN = 50
"""Items of a batch that are read before other requests get their turn."""

_ENVELOPE = TypeAdapter(BatchEnvelope)


@dataclass(frozen=True, slots=True)
class Submits:
    """Everything that asks the pipeline for a verdict. Whether the key may send is the pipeline's to decide.

    Only a dry run needs a key that is alive: its report would tell a revoked one about the tenant. When the pipeline
    cannot answer in time, or a tenant is far beyond its rate, the refusal costs neither a body nor a record.
    """

    services: Services
    inflight: InFlight = field(default_factory=InFlight)

    async def send(self, request: web.Request) -> web.Response:
        """POST /v1/messages/send: 202 with the message's id, or the refusal of one layer."""
        verdict = await self._one(request, "send")
        return accepted(verdict, self.services.public_url, self.services.clock())

    async def validate(self, request: web.Request) -> web.Response:
        """POST /v1/messages/validate: the report of a dry run."""
        return explained(await self._one(request, "validate"), self.services.clock())

    async def batch(self, request: web.Request) -> web.Response:
        """POST /v1/messages/batch: 200 with one result for each item, in their order."""
        services = self.services
        key, tenant = await self._enter(request, "send")
        value = await read_json(request)
        try:
            items = _ENVELOPE.validate_python(value).messages
        except ValidationError as error:
            raise refuse("validation_failed", "The batch does not validate", field_errors(error)) from error
        may = 1 + services.rates.take(tenant, len(items) - 1)
        drafts = await _drafts(items[:may], header_key_of(request))
        submissions = await self._submissions(drafts, _origin(services, request, key, "send"))
        answers = await self._answers(submissions, tenant)
        now_ms = services.clock()
        if tenant is not None and may < len(items):
            answers += [services.rates.exceeded(tenant, now_ms)] * (len(items) - may)
        results = [item_result(i, answer, services.public_url, now_ms) for i, answer in enumerate(answers)]
        done = sum(result["status"] == "accepted" for result in results)
        report = {"results": results, "accepted": done, "rejected": len(results) - done}
        return json_response(report, 200, _batch_headers(answers, now_ms))

    async def _one(self, request: web.Request, kind: SubmissionKind) -> Verdict:
        services = self.services
        key, tenant = await self._enter(request, kind)
        draft = draft_of(await read_json(request), header_key_of(request))
        submissions = await self._submissions([draft], _origin(services, request, key, kind))
        answer = (await self._answers(submissions, tenant))[0]
        if isinstance(answer, Problem):
            raise RefusalError(answer)
        return answer

    async def _enter(self, request: web.Request, kind: SubmissionKind) -> tuple[ApiKey, Tenant | None]:
        """The key and its tenant, who may hand in one message at least."""
        services = self.services
        if services.gate.is_shut():
            raise RefusalError(BUSY)
        key = await (resolve if kind == "send" else resolve_alive)(services, request)
        tenant = services.config.tenant(key.tenant_id)
        if tenant is not None and not services.rates.take(tenant, 1):
            raise RefusalError(services.rates.exceeded(tenant, services.clock()))
        return key, tenant

    async def _submissions(self, drafts: list[Draft], origin: Origin) -> list[Submission]:
        rules = await rules_of(self.services, origin.key.tenant_id, drafts)
        made: list[Submission] = []
        for index, draft in enumerate(drafts):
            if index and index % ITEMS_A_TURN == 0:
                await asyncio.sleep(0)
            made.append(submission_of(self.services, draft, rules.get(draft.rule_id), origin))
        return made

    async def _answers(self, submissions: list[Submission], tenant: Tenant | None) -> list[Verdict | Problem]:
        """One answer for each submission: the verdict, or that the same key is running."""
        with self.inflight.hold(submissions) as free:
            asked = [submission for submission, may_run in zip(submissions, free, strict=True) if may_run]
            verdicts = await self.services.desk.submit(asked) if asked else []
        self.services.rates.give_back(tenant, sum(verdict.replayed for verdict in verdicts))
        told = iter(verdicts)
        return [next(told) if may_run else IN_PROGRESS for may_run in free]


async def _drafts(items: Sequence[object], header_key: str | None) -> list[Draft]:
    """The items read; one without a key of its own gets the header's with its index, so a repeated batch repeats its keys."""
    drafts: list[Draft] = []
    for index, item in enumerate(items):
        if index and index % ITEMS_A_TURN == 0:
            await asyncio.sleep(0)
        own = isinstance(item, dict) and item.get("idempotency_key") is not None
        drafts.append(draft_of(item, None if own else header_key, f"/{index}"))
    return drafts


def _origin(services: Services, request: web.Request, key: ApiKey, kind: SubmissionKind) -> Origin:
    return Origin(key, kind, services.clock(), trace_id_of(request))


def _batch_headers(answers: Sequence[Verdict | Problem], now_ms: int) -> dict[str, str]:
    """The rate-limit headers of the last verdict that has them."""
    for answer in reversed(answers):
        if isinstance(answer, Verdict) and answer.limit:
            return rate_headers(answer.limit, answer.remaining, answer.reset_at_ms, now_ms)
    return {}
