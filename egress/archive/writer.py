"""Writes status changes and ledger entries to PostgreSQL; writing a record again, or an older one late, changes nothing.

Rows are copied into temporary tables and go on from there: COPY costs half of what arrays as arguments do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.billing.money import LedgerEntry
from domain.cascade.commands import StatusChanged
from domain.cascade.states import Cascade
from schemas.codec import Codec

NUL, REPLACEMENT = "\0", "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class ArchiveWriter:
    """`pool` is asyncpg's. A message's row, attempts and events are those of its highest revision."""

    pool: Any
    codec: Codec

    async def apply(self, records: Sequence[StatusChanged | LedgerEntry]) -> None:
        """The records are in the database: one transaction, all or nothing. What asyncpg raises is raised."""
        newest: dict[tuple[str, str], StatusChanged] = {}
        entries: dict[tuple[str, str], LedgerEntry] = {}
        for record in records:
            match record:
                case StatusChanged(tenant_id=tenant, message_id=message):
                    before = newest.get((tenant, message))
                    if before is None or before.revision < record.revision:
                        newest[tenant, message] = record
                case LedgerEntry(tenant_id=tenant, entry_id=entry):
                    entries[tenant, entry] = record
        # sorted: two writers that meet in the same rows lock them in the same order
        told = [(newest[key], self._cascade(newest[key])) for key in sorted(newest)]
        batches = (
            ("messages", _MESSAGES, [_message(changed, cascade) for changed, cascade in told]),
            ("attempts", _ATTEMPTS, [row for changed, cascade in told for row in _attempts(changed, cascade)]),
            ("events", _EVENTS, [row for changed, cascade in told for row in _events(changed, cascade)]),
            ("ledger_entries", _LEDGER, [_entry(entries[key]) for key in sorted(entries)]),
        )
        async with self.pool.acquire() as connection, connection.transaction():
            for table, query, rows in batches:
                if rows:
                    await connection.execute(_ARRIVING.format(table=table))
                    await connection.copy_records_to_table(f"arriving_{table}", records=rows, schema_name="pg_temp")
                    await connection.execute(query)

    def _cascade(self, changed: StatusChanged) -> Cascade:
        value = self.codec.decode(changed.cascade)
        if not isinstance(value, Cascade):
            raise TypeError(f"a status change holds a {type(value).__name__} where a Cascade belongs")
        return value


def _clean(text: str) -> str:
    """PostgreSQL has no NUL in text, and a peer may send one; the encoded cascade keeps what was sent."""
    return text.replace(NUL, REPLACEMENT) if NUL in text else text


def _message(changed: StatusChanged, c: Cascade) -> tuple[Any, ...]:
    return (
        changed.tenant_id, changed.message_id, changed.revision, c.state, changed.channel, _clean(c.reference),
        _clean(c.recipient_hash), c.charged_micros, c.created_at_ms, c.updated_at_ms, changed.cascade,
    )  # fmt: skip


def _attempts(changed: StatusChanged, c: Cascade) -> Iterable[tuple[Any, ...]]:
    for a in c.attempts:
        yield (
            changed.tenant_id, changed.message_id, a.number, changed.revision, a.step, a.channel, a.state,
            _clean(a.carrier), [_clean(i) for i in a.provider_ids], _clean(a.code), _clean(a.detail), a.segments,
            a.price_micros, a.cost_micros, a.started_at_ms, a.completed_at_ms,
        )  # fmt: skip


def _events(changed: StatusChanged, c: Cascade) -> Iterable[tuple[Any, ...]]:
    for place, e in enumerate(c.history):
        yield changed.tenant_id, changed.message_id, place, e.at_ms, _clean(e.event), e.attempt, _clean(e.detail)


def _entry(e: LedgerEntry) -> tuple[Any, ...]:
    return (
        e.tenant_id, e.entry_id, e.message_id, e.kind, e.available_micros, e.reserved_micros, e.spent_micros,
        e.granted_micros, e.seq, e.at_ms, e.channel, e.carrier, e.segments, e.cost_micros,
    )  # fmt: skip


_ARRIVING = "create temp table if not exists arriving_{table} (like {table}) on commit delete rows"
_MESSAGES = """
insert into messages select * from pg_temp.arriving_messages
on conflict (tenant_id, message_id) do update set revision = excluded.revision, state = excluded.state,
    channel = excluded.channel, charged_micros = excluded.charged_micros, updated_at_ms = excluded.updated_at_ms,
    "cascade" = excluded."cascade"
where excluded.revision > messages.revision
"""
_ATTEMPTS = """
insert into attempts select * from pg_temp.arriving_attempts
on conflict (tenant_id, message_id, number) do update set revision = excluded.revision, state = excluded.state,
    carrier = excluded.carrier, provider_ids = excluded.provider_ids, code = excluded.code, detail = excluded.detail,
    segments = excluded.segments, price_micros = excluded.price_micros, cost_micros = excluded.cost_micros,
    completed_at_ms = excluded.completed_at_ms
where excluded.revision > attempts.revision
"""
_EVENTS = "insert into events select * from pg_temp.arriving_events on conflict do nothing"
_LEDGER = "insert into ledger_entries select * from pg_temp.arriving_ledger_entries on conflict do nothing"
