"""The directory in PostgreSQL: who a secret belongs to, and the changes to keys and rules."""

from dataclasses import dataclass
from typing import Any

from domain.cascade.rule import CascadeRule
from domain.errors import PermanentError
from domain.ports import ConfigView, NewKey
from domain.tenant import ApiKey, Scope
from ingress.checker import Kind, SecretChecker, Stored
from ingress.credentials import new_key_id, new_secret, parse_secret
from ingress.outbox import OutboxRelay, enqueue
from ingress.values import RULES, is_storable, json_of, key_of
from schemas.codec import Codec
from schemas.sql.pool import loan
from tables.config import config_key

MAX_KEYS = 1_000
"""Keys of one tenant, revoked ones included."""
MAX_RULES = 1_000
MAX_LABEL = 200
MAX_LOGIN = 128
"""Characters of a system_id or user name."""


@dataclass(frozen=True, slots=True)
class PostgresDirectory:
    """Implements `domain.ports.Directory`. TransientError from any method when PostgreSQL is away or slow."""

    pool: Any
    codec: Codec
    config: ConfigView
    relay: OutboxRelay
    checker: SecretChecker

    async def resolve(self, secret: str) -> ApiKey | None:
        """The key whose secret this is, revoked and expired ones included; None for no such key."""
        parsed = parse_secret(secret)
        if parsed is None:
            return None
        known = self.config.key(parsed.key_id) is not None
        key_id = await self.checker.key_id(
            "key", parsed.key_id, secret, lambda: self._stored(_KEY_SECRET, parsed.key_id), known=known
        )
        return await self._key(key_id)

    async def resolve_smpp(self, system_id: str, password: str) -> ApiKey | None:
        """The key that an ESME binds with (SMPP 3.4 section 4.1); None for a wrong system_id or password."""
        return await self._login("smpp", _SMPP_SECRET, system_id, password)

    async def resolve_smtp(self, user: str, password: str) -> ApiKey | None:
        """The key that a mail client authenticates with (RFC 4954); None for a wrong user or password."""
        return await self._login("smtp", _SMTP_SECRET, user, password)

    async def create_key(
        self, tenant_id: str, label: str, scopes: tuple[Scope, ...], *, test: bool, expires_at_ms: int
    ) -> NewKey:
        """Make a key; when this returns, the change is published.

        Raises:
            PermanentError: `not_found` for an unknown tenant, `conflict` when it has too many keys, `validation_failed`.
            TransientError: also when the change is saved but could not be published in time; the key then exists.
        """
        if not scopes or len(label) > MAX_LABEL or not is_storable(label):
            raise PermanentError(
                "validation_failed", f"a key has scopes, and a label of at most {MAX_LABEL} characters"
            )
        key = ApiKey(new_key_id(), tenant_id, label, scopes, test, 0, expires_at_ms)
        secret = new_secret(key.key_id, test=test)
        secret_hash = await self.checker.hash(secret)
        async with loan(self.pool) as connection, connection.transaction():
            await _lock_tenant(connection, tenant_id)
            if await connection.fetchval("select count(*) from api_keys where tenant_id = $1", tenant_id) >= MAX_KEYS:
                raise PermanentError("conflict", f"the tenant has {MAX_KEYS} keys")
            await connection.execute(
                _INSERT_KEY, tenant_id, key.key_id, label, list(scopes), test, 0, expires_at_ms, secret_hash, None
            )
            await enqueue(connection, [(config_key(key), self.codec.encode(key))])
        await self.relay.flush()
        return NewKey(key, secret)

    async def revoke_key(self, tenant_id: str, key_id: str) -> bool:
        """Revoke a key of the tenant; False when there is none. When this returns, the change is published."""
        if not is_storable(key_id):
            return False
        async with loan(self.pool) as connection, connection.transaction():
            row = await connection.fetchrow(
                "select * from api_keys where tenant_id = $1 and key_id = $2 for update", tenant_id, key_id
            )
            if row is None:
                return False
            if not row["revoked"]:
                await connection.execute("update api_keys set revoked = true where key_id = $1", key_id)
                key = key_of({**row, "revoked": True})
                await enqueue(connection, [(config_key(key), self.codec.encode(key))])
        await self.relay.flush()  # on a repeat too: the first time may have ended before it was published
        return True

    async def keys(self, tenant_id: str) -> tuple[ApiKey, ...]:
        """The tenant's keys, newest first."""
        async with loan(self.pool) as connection:
            rows = await connection.fetch(
                "select * from api_keys where tenant_id = $1 order by created_at desc, key_id", tenant_id
            )
        return tuple(key_of(row) for row in rows)

    async def save_rule(self, rule: CascadeRule) -> None:
        """Insert or replace a rule; when this returns, the change is published.

        Raises:
            PermanentError: `not_found` for an unknown tenant, `conflict` when it has too many rules, `validation_failed`.
        """
        if not is_storable(rule.rule_id, rule.name):
            raise PermanentError("validation_failed", "a rule's id and name are text without NUL")
        async with loan(self.pool) as connection, connection.transaction():
            await _lock_tenant(connection, rule.tenant_id)
            others = await connection.fetchval(_OTHER_RULES, rule.tenant_id, rule.rule_id)
            if others >= MAX_RULES:
                raise PermanentError("conflict", f"the tenant has {MAX_RULES} rules")
            await connection.execute(UPSERT_RULE, rule.tenant_id, rule.rule_id, json_of(RULES, rule))
            await enqueue(connection, [(config_key(rule), self.codec.encode(rule))])
        await self.relay.flush()

    async def rules(self, tenant_id: str) -> tuple[CascadeRule, ...]:
        """The tenant's rules, by name."""
        async with loan(self.pool) as connection:
            rows = await connection.fetch(
                "select value from cascade_rules where tenant_id = $1 order by name, rule_id", tenant_id
            )
        return tuple(RULES.validate_json(row["value"]) for row in rows)

    async def rule(self, tenant_id: str, rule_id: str) -> CascadeRule | None:
        """One rule of the tenant."""
        if not is_storable(rule_id):
            return None
        async with loan(self.pool) as connection:
            value = await connection.fetchval(
                "select value from cascade_rules where tenant_id = $1 and rule_id = $2", tenant_id, rule_id
            )
        return None if value is None else RULES.validate_json(value)

    async def _login(self, kind: Kind, query: str, user: str, password: str) -> ApiKey | None:
        if not 0 < len(user) <= MAX_LOGIN or not user.isprintable():
            return None
        return await self._key(
            await self.checker.key_id(kind, user, password, lambda: self._stored(query, user), known=False)
        )

    async def _stored(self, query: str, name: str) -> Stored | None:
        async with loan(self.pool) as connection:
            row = await connection.fetchrow(query, name)
        return None if row is None else Stored(row["secret_hash"], row["key_id"])

    async def _key(self, key_id: str | None) -> ApiKey | None:
        """What the key allows now: only the way from secret to id is remembered, never the key."""
        if key_id is None:
            return None
        key = self.config.key(key_id)
        if key is not None:
            return key
        async with loan(self.pool) as connection:
            row = await connection.fetchrow("select * from api_keys where key_id = $1", key_id)
        return None if row is None else key_of(row)


async def _lock_tenant(connection: Any, tenant_id: str) -> None:
    """Count and insert are one step for each tenant; PermanentError when there is none."""
    if not await connection.fetchval("select true from tenants where tenant_id = $1 for update", tenant_id):
        raise PermanentError("not_found", "no such tenant")


_KEY_SECRET = "select secret_hash, key_id from api_keys where key_id = $1"  # noqa: S105 - a query
_SMPP_SECRET = "select secret_hash, key_id from smpp_credentials where system_id = $1"  # noqa: S105 - a query
_SMTP_SECRET = "select secret_hash, key_id from smtp_credentials where username = $1"  # noqa: S105 - a query
_INSERT_KEY = """
insert into api_keys (tenant_id, key_id, label, scopes, test, rate_per_s, expires_at_ms, secret_hash, seed_name)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_OTHER_RULES = "select count(*) from cascade_rules where tenant_id = $1 and rule_id <> $2"
UPSERT_RULE = """
insert into cascade_rules (tenant_id, rule_id, value) values ($1, $2, $3)
on conflict (tenant_id, rule_id) do update set value = excluded.value, updated_at = now()
"""
