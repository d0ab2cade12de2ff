"""The egress' memory: each attempt with its intent and outcome, and which attempt a carrier's id belongs to.

The rows are the changelog `hermes.submits` and a local store; the index from carrier ids is part of the store only and is
made from the rows. An intent goes to the changelog alone: the lanes know what is at work, and a restart reads it back from
there. Rows are dropped some days after the last receipt can come.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.codec import Codec
from schemas.rows import Submit
from schemas.smpp.receipt import candidates
from schemas.topics import DAY_MS
from tables.recent import let_go
from tables.store import Store, Write

KEEP_MS = 4 * DAY_MS
MAX_SWEPT = 1_000
MAX_RECENT = 10_000
"""Rows that are at hand decoded: most receipts come within seconds."""

_ROW, _ID, _AGE = b"a", b"p", b"t"


def submit_key(message_id: str, attempt: int) -> str:
    """The key of an attempt on `hermes.submits`."""
    return f"{message_id}/{attempt}"


def split_key(key: str) -> tuple[str, int]:
    """The message and attempt of a key."""
    message_id, _, attempt = key.rpartition("/")
    return message_id, int(attempt)


def segment_of(row: Submit, provider_id: str) -> str:
    """The id of `row` that a receipt's spelling of it stands for; two spellings are one segment."""
    told = set(candidates(provider_id))
    return next((own for own in row.provider_ids if told & _spellings(own)), provider_id)


@dataclass(slots=True)
class Book:
    """Rows by attempt, attempts by carrier id."""

    store: Store
    codec: Codec
    _recent: dict[str, Submit] = field(default_factory=dict)

    def row(self, message_id: str, attempt: int) -> Submit | None:
        """What is known of an attempt."""
        return self.row_of(submit_key(message_id, attempt))

    def row_of(self, key: str) -> Submit | None:
        """What is known of the attempt with this key."""
        return self._recent.get(key) or self._decoded(_ROW + key.encode())

    def find(self, carrier: str, provider_id: str) -> str | None:
        """The key of the attempt that a carrier's id belongs to, in any of the forms that carriers write one id in."""
        key = self.store.get(_id_key(carrier, provider_id))
        if key is None:
            others = (self.store.get(_id_key(carrier, form)) for form in candidates(provider_id)[1:])
            key = next((found for found in others if found is not None), None)
        return None if key is None else key.decode()

    def encoded(self, rows: Iterable[Submit]) -> list[tuple[str, bytes | None]]:
        """Rows as they go to the changelog: key and octets."""
        return [(submit_key(row.message_id, row.attempt), self.codec.encode(row)) for row in rows]

    def save(self, rows: Iterable[Submit], encoded: Iterable[tuple[str, bytes | None]]) -> None:
        """Keep rows, `encoded` as they are on the changelog, and their index."""
        writes: list[Write] = []
        for row, (name, octets) in zip(rows, encoded, strict=True):
            key = name.encode()
            writes.append((_ROW + key, octets))
            writes.append((_AGE + row.at_ms.to_bytes(8, "big") + key, b""))
            writes.extend((_id_key(row.carrier, form), key) for own in row.provider_ids for form in _spellings(own))
            self._recent[name] = row
        if writes:
            self.store.write(writes)
        let_go(self._recent, MAX_RECENT)

    def drop(self, message_id: str, attempt: int) -> None:
        """Know nothing of an attempt any more."""
        key = submit_key(message_id, attempt)
        self._recent.pop(key, None)
        self.store.write([(_ROW + key.encode(), None)])

    def sweep(self, now_ms: int) -> int:
        """Drop up to MAX_SWEPT rows that are too old; returns how many."""
        writes: list[Write] = []
        swept = 0
        for age_key, _ in self.store.scan(_AGE):
            if int.from_bytes(age_key[1:9], "big") > now_ms - KEEP_MS or swept == MAX_SWEPT:
                break
            swept += 1
            writes.append((age_key, None))
            row = self._decoded(_ROW + age_key[9:])
            if row is not None and row.at_ms <= now_ms - KEEP_MS:
                self._recent.pop(submit_key(row.message_id, row.attempt), None)
                writes.append((_ROW + age_key[9:], None))
                writes.extend((_id_key(row.carrier, f), None) for own in row.provider_ids for f in _spellings(own))
        if writes:
            self.store.write(writes)
        return swept

    def _decoded(self, key: bytes) -> Submit | None:
        stored = self.store.get(key)
        return None if stored is None else self.codec.decode(stored)


def _id_key(carrier: str, provider_id: str) -> bytes:
    return _ID + carrier.encode() + b"\x00" + provider_id.encode()


def _spellings(provider_id: str) -> set[str]:
    """The ways to write an id that are certainly the same id; what a receipt may make of it is the reader's guess."""
    folded = provider_id.casefold()
    return {provider_id, folded, folded.lstrip("0") or folded}
