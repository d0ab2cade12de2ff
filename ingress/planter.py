"""Writes one planted value at a time within one transaction, and collects what is to be published of it."""

from dataclasses import dataclass
from typing import Any

from domain.cascade.rule import CascadeRule
from domain.errors import ConfigError
from domain.tenant import ApiKey, Route, Tenant
from ingress.checker import SecretChecker
from ingress.credentials import SMPP_PASSWORD_LENGTH, Parsed, new_key_id, new_password, new_secret, parse_secret
from ingress.directory import UPSERT_RULE
from ingress.seed_values import SeedEndpoint, SeedKey, SeedLogin
from ingress.values import ROUTES, RULES, TENANTS, json_of, key_of
from schemas.codec import Codec
from schemas.sql.webhook_secret import is_webhook_secret, new_webhook_secret
from tables.config import config_key

SMTP_PASSWORD_LENGTH = 24

Changes = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Planter:
    """`changes` grows by the key and encoded value of whatever is new; unchanged values add nothing."""

    connection: Any
    codec: Codec
    checker: SecretChecker
    changes: Changes

    async def tenant(self, tenant: Tenant) -> None:
        text = await self.connection.fetchval("select value from tenants where tenant_id = $1", tenant.tenant_id)
        if text is not None and TENANTS.validate_json(text) == tenant:
            return
        await self.connection.execute(_UPSERT_TENANT, tenant.tenant_id, json_of(TENANTS, tenant))
        self._publish(tenant)

    async def key(self, wanted: SeedKey) -> tuple[ApiKey, str]:
        row = await self.connection.fetchrow(_SEEDED_KEY, wanted.tenant_id, wanted.name)
        parsed = parse_secret(wanted.secret)
        key_id = row["key_id"] if row else await self._free_key_id(parsed)
        usable = parsed is not None and parsed.key_id == key_id and parsed.test == wanted.test
        secret = wanted.secret if usable else new_secret(key_id, test=wanted.test)
        if row and usable and await self.checker.matches(secret, row["secret_hash"]):
            secret_hash = row["secret_hash"]
        else:
            secret_hash = await self.checker.hash(secret)
        before = key_of(row) if row else None
        key = ApiKey(
            key_id, wanted.tenant_id, wanted.name, wanted.scopes, wanted.test, wanted.rate_per_s,
            before.expires_at_ms if before else 0, before.revoked if before else False,
        )  # fmt: skip
        await self.connection.execute(
            _UPSERT_KEY, key.tenant_id, key_id, key.label, list(key.scopes), key.test, key.rate_per_s, secret_hash
        )
        if key != before:
            self._publish(key)
        return key, secret

    async def _free_key_id(self, parsed: Parsed | None) -> str:
        """The id within the kept secret, unless another key has it."""
        taken = parsed is None or await self.connection.fetchval(
            "select true from api_keys where key_id = $1", parsed.key_id
        )
        return new_key_id() if parsed is None or taken else parsed.key_id

    async def login(self, wanted: SeedLogin) -> str:
        key_id = await self.connection.fetchval(
            "select key_id from api_keys where tenant_id = $1 and seed_name = $2", wanted.tenant_id, wanted.key_name
        )
        if key_id is None:
            raise ConfigError(f"the login {wanted.user!r} refers to the key {wanted.key_name!r}, which there is not")
        row = await self.connection.fetchrow(_LOGIN[wanted.protocol], wanted.user)
        if row and row["tenant_id"] != wanted.tenant_id:
            raise ConfigError(f"the {wanted.protocol} login {wanted.user!r} belongs to another tenant")
        length = SMPP_PASSWORD_LENGTH if wanted.protocol == "smpp" else SMTP_PASSWORD_LENGTH
        secret = wanted.secret or new_password(length)
        if row and row["key_id"] == key_id and await self.checker.matches(secret, row["secret_hash"]):
            return secret
        secret_hash = await self.checker.hash(secret)
        await self.connection.execute(
            _UPSERT_LOGIN[wanted.protocol], wanted.tenant_id, wanted.user, secret_hash, key_id
        )
        return secret

    async def endpoint(self, wanted: SeedEndpoint) -> str:
        if wanted.secret and not is_webhook_secret(wanted.secret):
            raise ConfigError(
                f"the secret of the endpoint {wanted.endpoint_id!r} is not whsec_ and 24 to 64 octets of base64"
            )
        kept = await self.connection.fetchval(
            "select secrets[1] from webhook_endpoints where tenant_id = $1 and endpoint_id = $2",
            wanted.tenant_id, wanted.endpoint_id,
        )  # fmt: skip
        secret: str = wanted.secret or kept or new_webhook_secret()
        await self.connection.execute(_UPSERT_ENDPOINT, wanted.tenant_id, wanted.endpoint_id, wanted.url, [secret])
        return secret

    async def rule(self, rule: CascadeRule) -> None:
        text = await self.connection.fetchval(
            "select value from cascade_rules where tenant_id = $1 and rule_id = $2", rule.tenant_id, rule.rule_id
        )
        if text is not None and RULES.validate_json(text) == rule:
            return
        await self.connection.execute(UPSERT_RULE, rule.tenant_id, rule.rule_id, json_of(RULES, rule))
        self._publish(rule)

    async def routes(self, source: str, routes: tuple[Route, ...]) -> None:
        rows = await self.connection.fetch("select route_id, value, source from routes")
        before = {row["route_id"]: (ROUTES.validate_json(row["value"]), row["source"]) for row in rows}
        for route in routes:
            if before.get(route.route_id) != (route, source):
                await self.connection.execute(_UPSERT_ROUTE, route.route_id, json_of(ROUTES, route), source)
                self._publish(route)
        named = {route.route_id for route in routes}
        for route, planted_by in before.values():
            if planted_by == source and route.route_id not in named:
                await self.connection.execute("delete from routes where route_id = $1", route.route_id)
                self.changes.append((config_key(route), None))

    def _publish(self, value: Tenant | ApiKey | CascadeRule | Route) -> None:
        self.changes.append((config_key(value), self.codec.encode(value)))


_UPSERT_TENANT = """
insert into tenants (tenant_id, value) values ($1, $2)
on conflict (tenant_id) do update set value = excluded.value, updated_at = now()
"""
_SEEDED_KEY = "select * from api_keys where tenant_id = $1 and seed_name = $2"
_UPSERT_KEY = """
insert into api_keys (tenant_id, key_id, label, scopes, test, rate_per_s, secret_hash, seed_name)
values ($1, $2, $3, $4, $5, $6, $7, $3)
on conflict (tenant_id, seed_name) do update set scopes = excluded.scopes, test = excluded.test,
    rate_per_s = excluded.rate_per_s, secret_hash = excluded.secret_hash
"""
_LOGIN = {
    "smpp": "select * from smpp_credentials where system_id = $1",
    "smtp": "select * from smtp_credentials where username = $1",
}
_UPSERT_LOGIN = {
    "smpp": """
insert into smpp_credentials (tenant_id, system_id, secret_hash, key_id) values ($1, $2, $3, $4)
on conflict (system_id) do update set secret_hash = excluded.secret_hash, key_id = excluded.key_id
""",
    "smtp": """
insert into smtp_credentials (tenant_id, username, secret_hash, key_id) values ($1, $2, $3, $4)
on conflict (username) do update set secret_hash = excluded.secret_hash, key_id = excluded.key_id
""",
}
_UPSERT_ENDPOINT = """
insert into webhook_endpoints (tenant_id, endpoint_id, url, secrets) values ($1, $2, $3, $4)
on conflict (tenant_id, endpoint_id) do update set url = excluded.url,
    secrets = case when webhook_endpoints.secrets[1] = excluded.secrets[1]
        then webhook_endpoints.secrets else excluded.secrets end,
    enabled = webhook_endpoints.enabled or webhook_endpoints.url <> excluded.url
"""
_UPSERT_ROUTE = """
insert into routes (route_id, value, source) values ($1, $2, $3)
on conflict (route_id) do update set value = excluded.value, source = excluded.source, updated_at = now()
"""
