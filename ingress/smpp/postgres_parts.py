"""The store of parts in PostgreSQL: whichever gateway completes a message sees all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ingress.smpp.part_store import Group, Joined, StoredPart
from schemas.sql.pool import loan

OVERDUE_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class PostgresParts:
    """Implements `PartStore`; `pool` is asyncpg's. Parts of one group are added one after the other, by a lock on its name."""

    pool: Any

    async def add(self, part: StoredPart, now_ms: int, until_ms: int, limit: int) -> Joined | None:
        """Insert the part and read its group, in one transaction."""
        async with loan(self.pool) as connection, connection.transaction():
            await connection.execute(_LOCK, repr(tuple(part.group)))
            rows = await connection.fetch(_GROUP, *part.group)
            there = tuple(_part(row) for row in rows)
            same = next((p for p in there if p.seq == part.seq), None)
            is_old = any(row["until_ms"] <= now_ms for row in rows)
            replaced: tuple[StoredPart, ...] = ()
            if is_old or (same is not None and same.frame != part.frame):
                replaced = there if not rows[0]["sent"] else ()
                await connection.execute(_DROP, *([value] for value in part.group))
                there, same = (), None
            if same is not None:
                return Joined(there)
            if await connection.fetchval(_COUNT, part.group.tenant_id, limit) >= limit:
                return None
            message_id = there[0].message_id if there else part.message_id
            until = rows[0]["until_ms"] if there else until_ms
            await connection.execute(
                _INSERT, *part.group, part.seq, message_id, part.system_id, part.frame, part.received_at_ms, until
            )
            mine = StoredPart(part.group, part.seq, message_id, part.system_id, part.frame, part.received_at_ms)
        return Joined(tuple(sorted((*there, mine), key=lambda p: p.seq)), replaced)

    async def sent(self, group: Group, until_ms: int) -> None:
        """Mark it."""
        async with loan(self.pool) as connection:
            await connection.execute(_SENT, *group, until_ms)

    async def drop(self, groups: Sequence[Group]) -> None:
        """Delete them."""
        if groups:
            async with loan(self.pool) as connection:
                await connection.execute(_DROP, *zip(*groups, strict=True))

    async def overdue(self, now_ms: int) -> list[StoredPart]:
        """Read those that were not sent, delete those that were."""
        async with loan(self.pool) as connection:
            await connection.execute("delete from smpp_parts where sent and until_ms <= $1", now_ms)
            return [_part(row) for row in await connection.fetch(_OVERDUE, now_ms, OVERDUE_ROWS)]


def _part(row: Any) -> StoredPart:
    group = Group(
        row["tenant_id"], row["source_addr"], row["dest_addr"], row["kind"], row["ref"], row["total"]
    )  # fmt: skip
    return StoredPart(
        group, row["seq"], row["message_id"], row["system_id"], bytes(row["frame"]), row["received_at_ms"]
    )


_LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
_NAMED = """
(tenant_id, source_addr, dest_addr, kind, ref, total) =
    ($1::text, $2::text, $3::text, $4::smallint, $5::integer, $6::smallint)
"""
_GROUP = f"select * from smpp_parts where {_NAMED} order by seq"  # noqa: S608 - both are constants
_SENT = f"update smpp_parts set sent = true, until_ms = $7 where {_NAMED}"  # noqa: S608 - both are constants
_COUNT = "select count(*) from (select from smpp_parts where tenant_id = $1 and not sent limit $2) as waiting"
_INSERT = """
insert into smpp_parts (tenant_id, source_addr, dest_addr, kind, ref, total, seq, message_id, system_id, frame,
    received_at_ms, until_ms)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_DROP = """
delete from smpp_parts p
using unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::integer[], $6::smallint[])
    as g (tenant_id, source_addr, dest_addr, kind, ref, total)
where (p.tenant_id, p.source_addr, p.dest_addr, p.kind, p.ref, p.total)
    = (g.tenant_id, g.source_addr, g.dest_addr, g.kind, g.ref, g.total)
"""
_OVERDUE = "select * from smpp_parts where not sent and until_ms <= $1 order by until_ms limit $2"
