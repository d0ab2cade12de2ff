"""The store of receipts in PostgreSQL, shared by all gateways of a lane."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingress.smpp.receipt_store import ReceiptDue, ReceiptKey, ReceiptWanted, Room, Settled
from schemas.sql.pool import loan

NUL, REPLACEMENT = "\0", "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class PostgresReceipts:
    """Implements `ReceiptStore`; `pool` is asyncpg's."""

    pool: Any

    async def add(self, receipts: Sequence[ReceiptWanted]) -> None:
        """Insert what is new, in one statement."""
        if receipts:
            await self._execute(_ADD, *zip(*(_row(r) for r in receipts), strict=True))

    async def forget(self, keys: Sequence[ReceiptKey]) -> None:
        """Delete them."""
        if keys:
            await self._execute(_DELETE, *zip(*keys, strict=True))

    async def settle(self, settled: Sequence[Settled]) -> int:
        """Make them due; the first end that is told stands."""
        if not settled:
            return 0
        rows = [(s.tenant_id, s.message_id, s.kind, s.stat, s.err, s.at_ms) for s in settled]
        columns = tuple(zip(*rows, strict=True))
        async with loan(self.pool) as connection, connection.transaction():
            await connection.execute(_DROP_SUCCESSES, *columns[:4])
            return len(await connection.fetch(_SETTLE, *columns))

    async def claim(self, rooms: Sequence[Room], now_ms: int, lease_ms: int) -> list[ReceiptDue]:
        """Lend them out; rows that another gateway is taking just now are passed over."""
        rows = [(r.tenant_id, r.system_id, r.count) for r in rooms if r.count > 0]
        if not rows:
            return []
        async with loan(self.pool) as connection:
            found = await connection.fetch(_CLAIM, *zip(*rows, strict=True), now_ms, now_ms + lease_ms)
        return sorted((_due(row) for row in found), key=lambda due: (due.done_at_ms, due.wanted.key))

    async def done(self, keys: Sequence[ReceiptKey]) -> None:
        """Delete them."""
        await self.forget(keys)

    async def retry(self, keys: Sequence[ReceiptKey], due_at_ms: int) -> None:
        """Move their due time."""
        if keys:
            await self._execute(_RETRY, *zip(*keys, strict=True), due_at_ms)

    async def expire(self, now_ms: int) -> int:
        """Delete what is too old."""
        async with loan(self.pool) as connection:
            return len(await connection.fetch(_EXPIRE, now_ms))

    async def _execute(self, query: str, *values: Any) -> None:
        async with loan(self.pool) as connection:
            await connection.execute(query, *values)


def _clean(text: str) -> str:
    """PostgreSQL has no NUL in text."""
    return text.replace(NUL, REPLACEMENT)


def _row(r: ReceiptWanted) -> tuple[Any, ...]:
    return (
        *r.key, r.receipt_id, r.system_id, r.source_ton, r.source_npi, _clean(r.source_addr), r.dest_ton, r.dest_npi,
        _clean(r.dest_addr), r.failure_only, _clean(r.quoted), r.submitted_at_ms, r.expires_at_ms,
    )  # fmt: skip


def _due(row: Any) -> ReceiptDue:
    key = ReceiptKey(row["tenant_id"], row["message_id"], row["part"], row["kind"])
    wanted = ReceiptWanted(
        key, row["receipt_id"], row["system_id"], row["source_ton"], row["source_npi"], row["source_addr"],
        row["dest_ton"], row["dest_npi"], row["dest_addr"], row["failure_only"], row["quoted"], row["submitted_at_ms"],
        row["expires_at_ms"],
    )  # fmt: skip
    return ReceiptDue(wanted, row["stat"], row["err"], row["done_at_ms"], row["attempts"])


_ADD = """
insert into smpp_receipts (tenant_id, message_id, part, kind, receipt_id, system_id, source_ton, source_npi, source_addr,
    dest_ton, dest_npi, dest_addr, failure_only, quoted, submitted_at_ms, expires_at_ms)
select * from unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::smallint[],
    $8::smallint[], $9::text[], $10::smallint[], $11::smallint[], $12::text[], $13::boolean[], $14::text[],
    $15::bigint[], $16::bigint[])
on conflict do nothing
"""
_DELETE = """
delete from smpp_receipts r
using unnest($1::text[], $2::text[], $3::smallint[], $4::text[]) as k (tenant_id, message_id, part, kind)
where (r.tenant_id, r.message_id, r.part, r.kind) = (k.tenant_id, k.message_id, k.part, k.kind)
"""
_DROP_SUCCESSES = """
delete from smpp_receipts r
using unnest($1::text[], $2::text[], $3::text[], $4::text[]) as s (tenant_id, message_id, kind, stat)
where (r.tenant_id, r.message_id, r.kind) = (s.tenant_id, s.message_id, s.kind)
    and r.state = 'waiting' and r.failure_only and s.stat = 'DELIVRD'
"""
_SETTLE = """
update smpp_receipts r
set state = 'due', stat = s.stat, err = s.err, done_at_ms = s.at_ms, due_at_ms = s.at_ms
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
    as s (tenant_id, message_id, kind, stat, err, at_ms)
where (r.tenant_id, r.message_id, r.kind) = (s.tenant_id, s.message_id, s.kind) and r.state = 'waiting'
returning 1
"""
_CLAIM = """
update smpp_receipts r
set due_at_ms = $5, attempts = r.attempts + 1
from unnest($1::text[], $2::text[], $3::bigint[]) as w (tenant_id, system_id, room)
cross join lateral (
    select d.tenant_id, d.message_id, d.part, d.kind from smpp_receipts d
    where d.tenant_id = w.tenant_id and d.state = 'due' and d.due_at_ms <= $4
        and (w.system_id = '' or d.system_id = w.system_id)
    order by d.due_at_ms limit w.room for update skip locked
) as f
where (r.tenant_id, r.message_id, r.part, r.kind) = (f.tenant_id, f.message_id, f.part, f.kind)
returning r.*
"""
_RETRY = """
update smpp_receipts r set due_at_ms = $5
from unnest($1::text[], $2::text[], $3::smallint[], $4::text[]) as k (tenant_id, message_id, part, kind)
where (r.tenant_id, r.message_id, r.part, r.kind) = (k.tenant_id, k.message_id, k.part, k.kind)
"""
_EXPIRE = "delete from smpp_receipts where expires_at_ms <= $1 returning 1"
