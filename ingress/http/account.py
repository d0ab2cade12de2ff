"""The handlers of a tenant's own account: its profile, and its API keys."""

import re
from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import AliasChoices, Field, StringConstraints, TypeAdapter, ValidationError

from domain.billing.money import Account
from domain.errors import FieldError
from domain.tenant import ApiKey, Scope, Tenant
from ingress.bodies import MAX_BATCH_ITEMS, Strict
from ingress.fields import field_errors
from ingress.http.auth import authorise
from ingress.http.problems import Json, json_response, refuse
from ingress.http.reading import MAX_BODY_BYTES, read_json
from ingress.http.services import Services
from ingress.times import format_rfc3339
from ingress.wire_types import NO_CONTROLS, Moment

MAX_KEYS = 100
MAX_LABEL_CHARS = 100

_KEY_ID = re.compile(r"[0-9A-Za-z_.-]{1,64}")


class KeyBody(Strict):
    """An API key to make; `permissions` may also be written as `scopes`."""

    label: Annotated[str, StringConstraints(min_length=1, max_length=MAX_LABEL_CHARS, pattern=NO_CONTROLS)]
    permissions: Annotated[
        list[Scope],
        Field(min_length=1, max_length=3, validation_alias=AliasChoices("permissions", "scopes")),
    ]
    test: bool = False
    expires_at: Moment | None = None


_KEY = TypeAdapter(KeyBody)


@dataclass(frozen=True, slots=True)
class AccountPages:
    """Reads ask for the scope read, writes for admin. A key's secret is in one answer only, the one that made it."""

    services: Services

    async def me(self, request: web.Request) -> web.Response:
        """GET /v1/tenants/me: who the key belongs to, its limits and its money."""
        key = await authorise(self.services, request, "read")
        tenant = self.services.config.tenant(key.tenant_id)
        if tenant is None:
            raise refuse("tenant_provisioning", "Tenant still provisioning", Retry_After="1")
        account = await self.services.desk.account(key.tenant_id)
        return json_response(_profile(tenant, key, account, self.services.public_url))

    async def keys(self, request: web.Request) -> web.Response:
        """GET /v1/tenants/api-keys: the tenant's keys without their secrets, newest first."""
        key = await authorise(self.services, request, "read")
        keys = await self.services.directory.keys(key.tenant_id)
        return json_response({"api_keys": [key_view(one) for one in keys]})

    async def create_key(self, request: web.Request) -> web.Response:
        """POST /v1/tenants/api-keys: 201 with the key and, this once, its secret. A test key makes test keys only."""
        key = await authorise(self.services, request, "admin")
        try:
            body = _KEY.validate_python(await read_json(request))
        except ValidationError as error:
            raise refuse("validation_failed", "The API key does not validate", field_errors(error)) from error
        if body.expires_at is not None and body.expires_at <= self.services.clock():
            past = FieldError("expires_at", "out_of_range", "must be in the future")
            raise refuse("validation_failed", "The API key does not validate", (past,))
        if key.test and not body.test:
            raise refuse("forbidden", "A test key cannot make a live key")
        if sum(not one.revoked for one in await self.services.directory.keys(key.tenant_id)) >= MAX_KEYS:
            raise refuse("conflict", f"A tenant may have {MAX_KEYS} API keys that are not revoked")
        made = await self.services.directory.create_key(
            key.tenant_id,
            body.label,
            tuple(dict.fromkeys(body.permissions)),
            test=body.test,
            expires_at_ms=body.expires_at or 0,
        )
        return json_response({**key_view(made.key), "secret": made.secret}, 201)

    async def revoke_key(self, request: web.Request) -> web.Response:
        """DELETE /v1/tenants/api-keys/{id}: 204; 404 when the tenant has no such key."""
        key = await authorise(self.services, request, "admin")
        key_id = request.match_info["id"]
        if not _KEY_ID.fullmatch(key_id) or not await self.services.directory.revoke_key(key.tenant_id, key_id):
            raise refuse("not_found", "There is no such API key")
        return web.Response(status=204, headers={"Cache-Control": "no-store"})


def key_view(key: ApiKey) -> Json:
    """A key without its secret."""
    return {
        "key_id": key.key_id,
        "label": key.label,
        "permissions": list(key.scopes),
        "test": key.test,
        "rate_per_s": key.rate_per_s or None,
        "expires_at": format_rfc3339(key.expires_at_ms) if key.expires_at_ms else None,
        "revoked": key.revoked,
    }


def _profile(tenant: Tenant, key: ApiKey, account: Account, public_url: str) -> Json:
    return {
        "tenant_id": tenant.tenant_id,
        "name": tenant.name,
        "tier": tenant.tier,
        "status": tenant.status,
        "status_reason": tenant.status_reason,
        "limits": {
            "rate_per_s": tenant.rate_per_s,
            "key_rate_per_s": key.rate_per_s or None,
            "max_body_bytes": MAX_BODY_BYTES,
            "max_batch_items": MAX_BATCH_ITEMS,
        },
        "balance": {
            "currency": tenant.currency,
            "available_micros": account.available_micros,
            "reserved_micros": account.reserved_micros,
            "spent_micros": account.spent_micros,
            "granted_micros": account.granted_micros,
        },
        "billing": {
            "charge_on": tenant.charge_on,
            "overage": tenant.overage,
            "overdraft_micros": tenant.overdraft_micros,
        },
        "sender": {"from_domain": tenant.from_domain, "sender_id": tenant.sender_id},
        "key": key_view(key),
        "links": {
            "cascade_rules": f"{public_url}/v1/cascade-rules",
            "api_keys": f"{public_url}/v1/tenants/api-keys",
            "health": f"{public_url}/readyz",
            "docs": f"{public_url}/docs",
        },
    }
