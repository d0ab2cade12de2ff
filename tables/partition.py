"""The state of one partition: rows staged by a batch over rows in the store, and the due index of its timers.

A row in the store is eight octets of version (the offset of the record that it was written for) and its Avro record. On
restore the highest version of a key wins, so a late write of a replaced process is harmless.

The wake that a cascade's row asks for is the message's timer: beside the row the store keeps a short entry of it, from
which the due index in memory is built at a start without reading the rows.
"""

import heapq
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from domain.cascade.states import Cascade
from schemas.codec import Codec
from tables.catalogue import CASCADE_ROWS, TABLES, Table, expiry_ms, tables_on, version_of
from tables.recent import let_go
from tables.store import Store, Write

R = TypeVar("R")

MAX_RECENT = 2_000
MAX_RECENT_OCTETS = 8_192
"""Rows of each table that are kept decoded, the ones written last: some 5 MB for cascades of the usual size; no large ones."""

_EXPIRY = b"x"
_WAKE = b"t"
_WAKE_FORM = struct.Struct(">QI?")
_VERSION_OCTETS = 8

LogRecord = tuple[str, bytes, bytes | None, int]
"""A changelog record: topic name, key, value (None deletes), version."""


class Wake(NamedTuple):
    """A timer: wake number `number` of a message is due; `final` when all it is for is to forget what has ended."""

    due_ms: int
    number: int
    message_id: str
    final: bool


class Partition:
    """The tables of one partition, for the one process that owns it."""

    def __init__(self, number: int, store: Store, codec: Codec) -> None:
        self.number = number
        self.store = store
        self._codec = codec
        self._staged: dict[str, dict[str, tuple[Any, int]]] = {t.name: {} for t in TABLES}
        self._recent: dict[str, dict[str, Any]] = {t.name: {} for t in TABLES}
        self._expired: list[Write] = []
        self._wakes: dict[str, Wake] = {}
        self.active = 0
        """Messages that have not ended."""
        self._due: list[Wake] = []

    def get(self, table: Table[R], key: str) -> R | None:
        """The row as it is after what this batch did so far."""
        staged = self._staged[table.name]
        if key in staged:
            row: R | None = staged[key][0]
            return row
        recent = self._recent[table.name]
        if key in recent:
            known: R | None = recent[key]
            return known
        stored = self.store.get(table.store_key(key))
        if stored is None:
            return None
        loaded: R = self._codec.decode(stored[_VERSION_OCTETS:])
        return loaded

    def put(self, table: Table[R], key: str, row: R, offset: int) -> None:
        """Stage a row that is written for the record at `offset`."""
        self._staged[table.name][key] = (row, version_of(row, offset))

    def delete(self, table: Table[R], key: str, offset: int) -> None:
        """Stage the removal of a row."""
        self._staged[table.name][key] = (None, offset)

    def staged(self, encode: Callable[[Any], bytes]) -> list[tuple[Table[Any], str, bytes | None, int]]:
        """What the batch changed, in the order of the tables: table, key, row by `encode`, version."""
        return [
            (table, key, None if row is None else encode(row), version)
            for table in TABLES
            for key, (row, version) in self._staged[table.name].items()
        ]

    def apply(self, rows: Iterable[tuple[Table[Any], str, bytes | None, int]]) -> None:
        """Make the staged rows, durable on the changelog by now, the state of the store."""
        writes: list[Write] = self._expired
        for table, key, value, version in rows:
            row = self._staged[table.name][key][0]
            self._index(table, key, row, writes)
            self._remember(table, key, row if value is None or len(value) <= MAX_RECENT_OCTETS else None)
            stored = None if value is None else version.to_bytes(_VERSION_OCTETS, "big") + value
            writes.append((table.store_key(key), stored))
        if writes:
            self.store.write(writes)
        self.forget()

    def forget(self) -> None:
        """Drop what is staged."""
        for rows in self._staged.values():
            rows.clear()
        self._expired = []

    def restore(self, records: Iterable[LogRecord]) -> int:
        """Apply changelog records in their order; returns how many were applied."""
        writes: dict[bytes, bytes | None] = {}
        extra: list[Write] = []
        count = 0
        for topic, log_key, value, version in records:
            tables = tables_on(topic)
            table = next(t for t in tables if not t.shared or log_key.startswith(t.tag))
            key = (log_key[len(table.tag) :] if table.shared else log_key).decode()
            store_key = table.store_key(key)
            before = writes[store_key] if store_key in writes else self.store.get(store_key)
            if before is not None and int.from_bytes(before[:_VERSION_OCTETS], "big") > version:
                continue
            row = None if value is None else self._codec.decode(value)
            self._index(table, key, row, extra)
            writes[store_key] = None if value is None else version.to_bytes(_VERSION_OCTETS, "big") + value
            count += 1
        if writes:
            self.store.write([*writes.items(), *extra])
        return count

    def load_timers(self) -> int:
        """Build the due index; returns how many timers are pending."""
        self._wakes.clear()
        for key, stored in self.store.scan(_WAKE):
            due_ms, number, final = _WAKE_FORM.unpack(stored)
            message_id = key[len(_WAKE) :].decode()
            self._wakes[message_id] = Wake(due_ms, number, message_id, final)
        self.active = sum(not wake.final for wake in self._wakes.values())
        self._due = list(self._wakes.values())
        heapq.heapify(self._due)
        return len(self._wakes)

    def due(self, now_ms: int, most: int) -> list[Wake]:
        """Up to `most` timers whose time has come; each is given once (and again after a restart, if it was not cleared)."""
        out: list[Wake] = []
        while self._due and self._due[0].due_ms <= now_ms and len(out) < most:
            wake = heapq.heappop(self._due)
            if self._wakes.get(wake.message_id) is wake:
                out.append(wake)
        return out

    def next_due_ms(self) -> int | None:
        """When the next timer may be due."""
        return self._due[0].due_ms if self._due else None

    @property
    def pending(self) -> int:
        """How many timers are set."""
        return len(self._wakes)

    def expire(self, now_ms: int, most: int) -> int:
        """Stage the removal of up to `most` rows whose time is over; returns how many."""
        done: list[Write] = []
        for index_key, _ in self.store.scan(_EXPIRY):
            if int.from_bytes(index_key[1:9], "big") > now_ms or len(done) == most:
                break
            table = next(t for t in TABLES if index_key[9:].startswith(t.tag))
            key = index_key[9 + len(table.tag) :].decode()
            row = self.get(table, key)
            stored = self.store.get(table.store_key(key))
            if row is not None and stored is not None and expiry_ms(row) <= now_ms:
                self.delete(table, key, int.from_bytes(stored[:_VERSION_OCTETS], "big"))
            done.append((index_key, None))
        self._expired = done
        return len(done)

    def _remember(self, table: Table[Any], key: str, row: object | None) -> None:
        """Keep a row that was written lately as it is: what happens to a message mostly happens within seconds."""
        recent = self._recent[table.name]
        if row is None:
            recent.pop(key, None)
            return
        recent[key] = row
        let_go(recent, MAX_RECENT)

    def _index(self, table: Table[Any], key: str, row: object | None, writes: list[Write]) -> None:
        if table is CASCADE_ROWS:
            self._set_wake(key, row, writes)
        elif row is not None and (at := expiry_ms(row)):
            writes.append((_EXPIRY + at.to_bytes(8, "big") + table.store_key(key), b""))

    def _set_wake(self, message_id: str, row: object | None, writes: list[Write]) -> None:
        """Bring the timer in line with the row of its message."""
        before = self._wakes.get(message_id)
        if isinstance(row, Cascade) and row.wake != "none":
            if before is not None and before.number == row.timer:
                return
            wake = self._wakes[message_id] = Wake(row.wake_at_ms, row.timer, message_id, row.is_final)
            heapq.heappush(self._due, wake)
            self.active += not wake.final
            writes.append((_WAKE + message_id.encode(), _WAKE_FORM.pack(wake.due_ms, wake.number, wake.final)))
        else:
            self._wakes.pop(message_id, None)
            writes.append((_WAKE + message_id.encode(), None))
        self.active -= before is not None and not before.final
