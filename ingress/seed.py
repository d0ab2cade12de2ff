"""Plants tenants, keys, logins, callbacks, routes and rules that a file of settings names; planting again changes nothing."""

from dataclasses import replace
from typing import Any

from domain.errors import ConfigError
from ingress.checker import SecretChecker
from ingress.outbox import OutboxRelay, enqueue
from ingress.planter import Changes, Planter
from ingress.seed_values import Planted, Seed
from schemas.codec import Codec
from schemas.sql.pool import loan

SEED_LOCK = 0x4845524D_0004
SEED_TIMEOUT_MS = 120_000
MAX_SEEDED = 10_000
"""Values of one file."""


async def seed(pool: Any, codec: Codec, relay: OutboxRelay, checker: SecretChecker, wanted: Seed) -> Planted:
    """Everything of `wanted` is in the database and published; what was there already is not published again.

    Ids of keys stay as they are. A secret that was passed in is used when it is a secret of that key; otherwise a new one
    takes the place of the old.

    Raises:
        ConfigError: a name refers to nothing, or belongs to another tenant.
        TransientError: the database is away, or the changes could not be published in time.
    """
    if sum(map(len, (wanted.tenants, wanted.keys, wanted.logins, wanted.routes, wanted.rules))) > MAX_SEEDED:
        raise ConfigError(f"{wanted.source} names more than {MAX_SEEDED} values")
    with_callbacks = {e.tenant_id for e in wanted.endpoints}
    changes: Changes = []
    async with loan(pool, SEED_TIMEOUT_MS) as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", SEED_LOCK)
        planter = Planter(connection, codec, checker, changes)
        for tenant in wanted.tenants:
            await planter.tenant(replace(tenant, has_webhook=True) if tenant.tenant_id in with_callbacks else tenant)
        known = {row["tenant_id"] for row in await connection.fetch("select tenant_id from tenants")}
        unknown = sorted(_tenants_named(wanted) - known)
        if unknown:
            raise ConfigError(f"{wanted.source} refers to the tenant {unknown[0]!r}, which there is not")
        keys = {(k.tenant_id, k.name): await planter.key(k) for k in wanted.keys}
        logins: dict[tuple[str, str], str] = {(w.protocol, w.user): await planter.login(w) for w in wanted.logins}
        endpoints = {(e.tenant_id, e.endpoint_id): await planter.endpoint(e) for e in wanted.endpoints}
        for rule in wanted.rules:
            await planter.rule(rule)
        await planter.routes(wanted.source, wanted.routes)
        await enqueue(connection, changes)
    await relay.flush(SEED_TIMEOUT_MS)
    return Planted({n: k for n, (k, _) in keys.items()}, {n: s for n, (_, s) in keys.items()}, logins, endpoints)


def _tenants_named(wanted: Seed) -> set[str]:
    return (
        {k.tenant_id for k in wanted.keys}
        | {w.tenant_id for w in wanted.logins}
        | {e.tenant_id for e in wanted.endpoints}
        | {r.tenant_id for r in wanted.rules}
    )
