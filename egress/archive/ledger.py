"""Adds up the ledger: whether each tenant's entries are complete and sum to a sound account."""

import asyncio
from dataclasses import dataclass

import asyncpg

VERIFY_TIMEOUT_MS = 300_000


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """The sums of one tenant's entries in micro-units; how many numbers of their two sequences are `missing` or `doubled`.

    Reservations are numbered apart from all other entries.
    """

    tenant_id: str
    entries: int
    available_micros: int
    reserved_micros: int
    spent_micros: int
    granted_micros: int
    missing: int
    doubled: int

    @property
    def sound(self) -> bool:
        """Complete, nothing negative that cannot be, and available + reserved + spent = granted."""
        adds_up = self.available_micros + self.reserved_micros + self.spent_micros == self.granted_micros
        complete = self.missing == 0 and self.doubled == 0
        return adds_up and complete and self.reserved_micros >= 0 and self.spent_micros >= 0


async def verify(dsn: str, tenant_id: str | None = None) -> list[LedgerCheck]:
    """One check for each tenant that has entries, or for `tenant_id` alone, by id; TimeoutError after five minutes."""
    async with asyncio.timeout(VERIFY_TIMEOUT_MS / 1000):
        connection = await asyncpg.connect(dsn)
        try:
            rows = await connection.fetch(_SUMS, tenant_id)
        finally:
            await connection.close()
    return [LedgerCheck(*row.values()) for row in rows]


_SUMS = """
select tenant_id, sum(entries)::bigint, sum(available)::bigint, sum(reserved)::bigint, sum(spent)::bigint,
    sum(granted)::bigint, sum(last - numbers)::bigint, sum(entries - numbers)::bigint
from (
    select tenant_id, count(*) as entries, sum(available_micros) as available, sum(reserved_micros) as reserved,
        sum(spent_micros) as spent, sum(granted_micros) as granted, max(seq) as last, count(distinct seq) as numbers
    from ledger_entries
    where $1::text is null or tenant_id = $1
    group by tenant_id, kind = 'reserve'
) as sequences
group by tenant_id
order by tenant_id
"""
