"""Callbacks in PostgreSQL: stored once, lent out when due, settled by what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.rows import CallbackDue

SCAN_ROWS = 1_000
"""Due rows looked at to choose from."""
MAX_ERROR = 200


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Names an endpoint."""

    tenant_id: str
    endpoint_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One callback to post to one endpoint; `attempts` counts this one."""

    event_id: str
    endpoint: Endpoint
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    payload: bytes = field(repr=False)
    attempts: int
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class DeliveryStore:
    """`pool` is asyncpg's; what asyncpg raises is raised."""

    pool: Any

    async def add(self, callbacks: Sequence[CallbackDue], now_ms: int) -> None:
        """Each callback waits for each enabled endpoint of its tenant, once, however often it is told."""
        rows = [
            (c.tenant_id, c.event_id, c.message_id, c.type, c.payload.encode(errors="replace"), c.at_ms)
            for c in callbacks
        ]
        if rows:
            async with self.pool.acquire() as connection:
                await connection.execute(_ADD, *zip(*rows, strict=True), now_ms)

    async def claim(
        self, slots: int, per_endpoint: int, in_flight: Mapping[Endpoint, int], now_ms: int, lease_ms: int
    ) -> list[Delivery]:
        """Up to `slots` due deliveries, oldest first, none of them lent to anybody else for `lease_ms`.

        No endpoint gets more than `per_endpoint`, those `in_flight` included.
        """
        busy = [e for e, n in in_flight.items() if n > 0]
        async with self.pool.acquire() as connection:
            rows = await connection.fetch(
                _CLAIM, now_ms, now_ms + lease_ms, per_endpoint, slots, SCAN_ROWS,
                [e.tenant_id for e in busy], [e.endpoint_id for e in busy], [in_flight[e] for e in busy],
            )  # fmt: skip
        return [
            Delivery(
                r["event_id"], Endpoint(r["tenant_id"], r["endpoint_id"]), r["url"], tuple(r["secrets"]), r["payload"],
                r["attempts"], r["created_at_ms"],
            )
            for r in rows
        ]  # fmt: skip

    async def delivered(self, delivery: Delivery, status: int, now_ms: int) -> None:
        """The receiver has it."""
        await self._settle(delivery, "delivered", now_ms, now_ms, status, "")

    async def failed(self, delivery: Delivery, status: int, error: str, now_ms: int) -> None:
        """It is given up."""
        await self._settle(delivery, "failed", now_ms, now_ms, status, error)

    async def postponed(self, delivery: Delivery, status: int, error: str, due_at_ms: int) -> None:
        """It is due again later."""
        await self._settle(delivery, "pending", due_at_ms, 0, status, error)

    async def disable(self, endpoint: Endpoint, reason: str, now_ms: int) -> None:
        """Nothing goes to this endpoint any more, and what waited for it is given up."""
        where = (endpoint.tenant_id, endpoint.endpoint_id)
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(_DISABLE, *where, reason)
            await connection.execute(_GIVE_UP, *where, reason, now_ms)

    async def _settle(
        self, delivery: Delivery, state: str, due_at_ms: int, settled_at_ms: int, status: int, error: str
    ) -> None:
        """Nothing happens when the lease was lost and somebody else has begun a later attempt."""
        async with self.pool.acquire() as connection:
            await connection.execute(
                _SETTLE, delivery.endpoint.tenant_id, delivery.event_id, delivery.endpoint.endpoint_id, delivery.attempts,
                state, due_at_ms, settled_at_ms, status, error[:MAX_ERROR],
            )  # fmt: skip


_ADD = """
insert into webhook_deliveries (tenant_id, event_id, endpoint_id, message_id, type, payload, created_at_ms, due_at_ms)
select c.tenant_id, c.event_id, e.endpoint_id, c.message_id, c.type, c.payload, c.at_ms, $7::bigint
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[])
    as c (tenant_id, event_id, message_id, type, payload, at_ms)
join webhook_endpoints e on e.tenant_id = c.tenant_id and e.enabled
order by c.tenant_id, c.event_id
on conflict do nothing
"""
_CLAIM = """
with busy as (
    select * from unnest($6::text[], $7::text[], $8::bigint[]) as b (tenant_id, endpoint_id, running)
), head as (
    select d.tenant_id, d.event_id, d.endpoint_id, d.due_at_ms, coalesce(b.running, 0) as running
    from webhook_deliveries d
    join webhook_endpoints e on e.tenant_id = d.tenant_id and e.endpoint_id = d.endpoint_id and e.enabled
    left join busy b on b.tenant_id = d.tenant_id and b.endpoint_id = d.endpoint_id
    where d.state = 'pending' and d.due_at_ms <= $1 and coalesce(b.running, 0) < $3
    order by d.due_at_ms limit $5
), numbered as (
    select *, row_number() over (partition by tenant_id, endpoint_id order by due_at_ms) + running as place from head
), picked as (
    select d.tenant_id, d.event_id, d.endpoint_id
    from webhook_deliveries d join numbered n using (tenant_id, event_id, endpoint_id)
    where n.place <= $3 and d.state = 'pending' and d.due_at_ms <= $1
    order by n.due_at_ms limit $4
    for update of d skip locked
)
update webhook_deliveries d set due_at_ms = $2, attempts = d.attempts + 1
from picked p, webhook_endpoints e
where d.tenant_id = p.tenant_id and d.event_id = p.event_id and d.endpoint_id = p.endpoint_id
  and e.tenant_id = p.tenant_id and e.endpoint_id = p.endpoint_id
returning d.tenant_id, d.event_id, d.endpoint_id, d.payload, d.attempts, d.created_at_ms, e.url, e.secrets
"""
_SETTLE = """
update webhook_deliveries
set state = $5, due_at_ms = $6, settled_at_ms = $7, last_status = $8, last_error = $9
where tenant_id = $1 and event_id = $2 and endpoint_id = $3 and attempts = $4 and state = 'pending'
"""
_DISABLE = """
update webhook_endpoints set enabled = false, disabled_reason = $3 where tenant_id = $1 and endpoint_id = $2
"""
_GIVE_UP = """
update webhook_deliveries set state = 'failed', settled_at_ms = $4, last_error = $3
where tenant_id = $1 and endpoint_id = $2 and state = 'pending'
"""
