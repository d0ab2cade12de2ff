"""The audit chain shows every change."""

from dataclasses import replace
from typing import Any

import pytest

from domain.audit.chain import GENESIS, AuditEntry, ChainHead, chain, digest, is_next, recipient_hash


def chained(count: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    head: ChainHead | None = None
    for n in range(count):
        entry = chain(head, "t1", f"msg-{n}", "aa", ("email", "sms"), "k1", 100 + n)
        entries.append(entry)
        head = ChainHead("t1", entry.seq, entry.hash, n)
    return entries


def is_whole(entries: list[AuditEntry]) -> bool:
    previous = GENESIS
    for n, entry in enumerate(entries, 1):
        if not is_next(entry, previous, n):
            return False
        previous = entry.hash
    return True


def test_a_chain_begins_with_number_one_and_goes_on() -> None:
    entries = chained(3)
    assert [e.seq for e in entries] == [1, 2, 3]
    assert is_whole(entries)


def test_a_removed_or_swapped_entry_shows() -> None:
    one, two, three = chained(3)
    assert not is_whole([one, three])
    assert not is_whole([two, one, three])


@pytest.mark.parametrize(
    "change",
    [
        {"message_id": "x"}, {"recipient_hash": "bb"}, {"channels": ("email",)}, {"key_id": "k2"}, {"at_ms": 1},
        {"hash": b"0" * 32}, {"previous": b"0" * 32}, {"seq": 9},
    ],
)  # fmt: skip
def test_a_changed_field_shows(change: dict[str, Any]) -> None:
    one, two, three = chained(3)
    assert not is_whole([one, replace(two, **change), three])


def test_fields_that_join_to_the_same_text_have_other_hashes() -> None:
    assert digest(1, "ab", "c", (), "k", 1, GENESIS) != digest(1, "a", "bc", (), "k", 1, GENESIS)


def test_a_recipient_has_another_hash_for_each_tenant_and_the_same_for_each_spelling() -> None:
    ours = recipient_hash(b"salt", "t1", "Ann@Example.com")
    assert ours == recipient_hash(b"salt", "t1", "ann@example.com")
    assert ours != recipient_hash(b"salt", "t2", "ann@example.com")
    assert len(ours) == 32
