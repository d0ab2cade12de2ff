"""From the credential in a request to the API key that it is, and what the key allows."""

from dataclasses import replace
from typing import Final

from aiohttp import web

from domain.tenant import ApiKey, Scope
from ingress.http.problems import RefusalError, refuse
from ingress.http.services import Services

MAX_SECRET_CHARS = 256
_BEARER: Final = "bearer"


async def resolve(services: Services, request: web.Request) -> ApiKey:
    """The key whose secret the request carries, whatever became of it; raises RefusalError with 401 for none."""
    secret = _secret(request)
    key = await services.directory.resolve(secret)
    if key is None:
        raise _unauthorized("The API key is unknown", "invalid_token")
    return key


async def authorise(services: Services, request: web.Request, scope: Scope) -> ApiKey:
    """The key of a request that needs `scope` and asks no layer; raises RefusalError with 401, 403 or 410."""
    key = await resolve_alive(services, request)
    tenant = services.config.tenant(key.tenant_id)
    if tenant is not None and tenant.status == "deactivated":
        raise refuse("tenant_deactivated", "Account deactivated")
    if not allows(key, scope):
        raise refuse("forbidden", f"The API key lacks the scope '{scope}'")
    return key


async def resolve_alive(services: Services, request: web.Request) -> ApiKey:
    """The key of the request, neither revoked nor expired; raises RefusalError with 401.

    What the gateway has read last about the key counts: its secret may have been resolved some minutes ago.
    """
    resolved = await resolve(services, request)
    newest = services.config.key(resolved.key_id) or resolved
    key = replace(newest, revoked=newest.revoked or resolved.revoked)
    if key.revoked:
        raise _unauthorized("The API key is revoked", "invalid_token")
    if key.expires_at_ms and key.expires_at_ms <= services.clock():
        raise _unauthorized("The API key has expired", "invalid_token")
    return key


def allows(key: ApiKey, scope: Scope) -> bool:
    """Whether the key has `scope`: scopes are exact, except that admin may read."""
    return scope in key.scopes or (scope == "read" and "admin" in key.scopes)


def _secret(request: web.Request) -> str:
    """The secret from `Authorization: Bearer` (RFC 6750 section 2.1) or `X-API-Key`; both must agree."""
    header = request.headers.get("Authorization")
    other = request.headers.get("X-API-Key")
    if header is None and other is None:
        raise _unauthorized("Send the API key as 'Authorization: Bearer …' or 'X-API-Key: …'", "")
    if header is None:
        secret = other or ""
    else:
        scheme, _, secret = header.partition(" ")
        secret = secret.strip()
        if scheme.lower() != _BEARER or (other is not None and other != secret):
            raise _unauthorized("Send one API key as 'Authorization: Bearer …' or 'X-API-Key: …'", "invalid_request")
    if not 0 < len(secret) <= MAX_SECRET_CHARS or not secret.isascii():
        raise _unauthorized("The API key is malformed", "invalid_token")
    return secret


def _unauthorized(detail: str, error: str) -> RefusalError:
    challenge = f'Bearer realm="hermes", error="{error}"' if error else 'Bearer realm="hermes"'
    return refuse("unauthorized", detail, WWW_Authenticate=challenge)
