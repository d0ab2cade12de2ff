"""Writes status changes and ledger entries to PostgreSQL; writing a record again, or an older one late, changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.billing.money import LedgerEntry
from domain.cascade.commands import StatusChanged
from domain.cascade.states import Cascade
from schemas.codec import Codec

NUL, REPLACEMENT = "\0", "\N{REPLACEMENT CHARACTER}"
ID_SEPARATOR = "\x1f"


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
            (_MESSAGES, [_message(changed, cascade) for changed, cascade in told]),
            (_ATTEMPTS, [row for changed, cascade in told for row in _attempts(changed, cascade)]),
            (_EVENTS, [row for changed, cascade in told for row in _events(changed, cascade)]),
            (_LEDGER, [_entry(entries[key]) for key in sorted(entries)]),
        )
        async with self.pool.acquire() as connection, connection.transaction():
            for query, rows in batches:
                if rows:
                    await connection.execute(query, *zip(*rows, strict=True))

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
            _clean(a.carrier), _clean(ID_SEPARATOR.join(a.provider_ids)), _clean(a.code), _clean(a.detail), a.segments,
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


_MESSAGES = """
insert into messages (tenant_id, message_id, revision, state, channel, reference, recipient_hash, charged_micros,
    created_at_ms, updated_at_ms, "cascade")
select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
    $9::bigint[], $10::bigint[], $11::bytea[])
on conflict (tenant_id, message_id) do update set revision = excluded.revision, state = excluded.state,
    channel = excluded.channel, charged_micros = excluded.charged_micros, updated_at_ms = excluded.updated_at_ms,
    "cascade" = excluded."cascade"
where excluded.revision > messages.revision
"""
_ATTEMPTS = """
insert into attempts (tenant_id, message_id, number, revision, step, channel, state, carrier, provider_ids, code, detail,
    segments, price_micros, cost_micros, started_at_ms, completed_at_ms)
select r.tenant_id, r.message_id, r.number, r.revision, r.step, r.channel, r.state, r.carrier,
    string_to_array(r.provider_ids, chr(31)), r.code, r.detail, r.segments, r.price_micros, r.cost_micros,
    r.started_at_ms, r.completed_at_ms
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[])
    as r (tenant_id, message_id, number, revision, step, channel, state, carrier, provider_ids, code, detail, segments,
    price_micros, cost_micros, started_at_ms, completed_at_ms)
on conflict (tenant_id, message_id, number) do update set revision = excluded.revision, state = excluded.state,
    carrier = excluded.carrier, provider_ids = excluded.provider_ids, code = excluded.code, detail = excluded.detail,
    segments = excluded.segments, price_micros = excluded.price_micros, cost_micros = excluded.cost_micros,
    completed_at_ms = excluded.completed_at_ms
where excluded.revision > attempts.revision
"""
_EVENTS = """
insert into events (tenant_id, message_id, place, at_ms, event, attempt, detail)
select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::text[])
on conflict do nothing
"""
_LEDGER = """
insert into ledger_entries (tenant_id, entry_id, message_id, kind, available_micros, reserved_micros, spent_micros,
    granted_micros, seq, at_ms, channel, carrier, segments, cost_micros)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bigint[], $14::bigint[])
on conflict do nothing
"""
