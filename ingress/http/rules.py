"""The handlers of a tenant's cascade rules."""

import re
from dataclasses import dataclass

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from domain.cascade.rule import CascadeRule
from ingress.fields import field_errors
from ingress.http.auth import authorise
from ingress.http.problems import RefusalError, json_response, refuse
from ingress.http.reading import read_json
from ingress.http.rule_bodies import RuleBody, rule_of
from ingress.http.services import Services
from ingress.http.views import rule_view

MAX_RULES = 200

_RULE = TypeAdapter(RuleBody)
_RULE_ID = re.compile(r"[0-9A-Za-z_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Rules:
    """Reads ask for the scope read, writes for admin. A written rule holds for the request that follows it."""

    services: Services

    async def index(self, request: web.Request) -> web.Response:
        """GET /v1/cascade-rules: the tenant's rules, by name."""
        key = await authorise(self.services, request, "read")
        rules = await self.services.directory.rules(key.tenant_id)
        return json_response({"cascade_rules": [rule_view(rule) for rule in rules]})

    async def show(self, request: web.Request) -> web.Response:
        """GET /v1/cascade-rules/{id}: one rule."""
        key = await authorise(self.services, request, "read")
        return json_response(rule_view(await self._find(key.tenant_id, request)))

    async def create(self, request: web.Request) -> web.Response:
        """POST /v1/cascade-rules: 201 with the rule and its id; 409 when the tenant has MAX_RULES already."""
        key = await authorise(self.services, request, "admin")
        body = _read(await read_json(request))
        if len(await self.services.directory.rules(key.tenant_id)) >= MAX_RULES:
            raise refuse("conflict", f"A tenant may have {MAX_RULES} cascade rules")
        rule = rule_of(body, key.tenant_id, self.services.new_id(), 1)
        await self.services.directory.save_rule(rule)
        place = f"{self.services.public_url}/v1/cascade-rules/{rule.rule_id}"
        return json_response(rule_view(rule), 201, {"Location": place})

    async def replace(self, request: web.Request) -> web.Response:
        """PUT /v1/cascade-rules/{id}: 200 with the rule as it is now. Messages accepted before keep the plan they have."""
        key = await authorise(self.services, request, "admin")
        body = _read(await read_json(request))
        before = await self._find(key.tenant_id, request)
        rule = rule_of(body, key.tenant_id, before.rule_id, before.version + 1)
        await self.services.directory.save_rule(rule)
        return json_response(rule_view(rule))

    async def _find(self, tenant_id: str, request: web.Request) -> CascadeRule:
        rule_id = request.match_info["id"]
        rule = await self.services.directory.rule(tenant_id, rule_id) if _RULE_ID.fullmatch(rule_id) else None
        if rule is None or rule.tenant_id != tenant_id:
            raise _unknown()
        return rule


def _read(value: object) -> RuleBody:
    try:
        return _RULE.validate_python(value)
    except ValidationError as error:
        raise refuse("validation_failed", "The cascade rule does not validate", field_errors(error)) from error


def _unknown() -> RefusalError:
    return refuse("not_found", "There is no such cascade rule")
