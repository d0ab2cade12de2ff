"""The egress' book: attempts by name, attempts by a carrier's id in all its spellings, and the end of old rows."""

from dataclasses import replace

import pytest

from egress.book import KEEP_MS, MAX_RECENT, MAX_SWEPT, Book, split_key, submit_key
from schemas.catalogue import codec
from schemas.rows import Submit
from tables.store import MemoryStore

NOW = 1_790_000_000_000


def book() -> Book:
    return Book(MemoryStore(), codec())


def row(message_id: str = "m", attempt: int = 1, **changes: object) -> Submit:
    whole = Submit(message_id, attempt, "telia", "sent", ("4A5B6C",), 1, 30_000, 12_000, "trace", NOW)
    return replace(whole, **changes)  # type: ignore[arg-type]  # the test names real fields


def keep(of: Book, *rows: Submit) -> None:
    of.save(rows, of.encoded(rows))


def found(of: Book, carrier: str, provider_id: str) -> Submit | None:
    key = of.find(carrier, provider_id)
    return None if key is None else of.row_of(key)


def test_an_attempt_is_found_by_its_name_and_no_other() -> None:
    one = book()
    keep(one, row("m", 1), row("m", 2, outcome="failed", provider_ids=()))
    assert one.row("m", 1) == row("m", 1)
    second = one.row("m", 2)
    assert second is not None
    assert second.outcome == "failed"
    assert one.row("m", 3) is one.row("n", 1) is None


def test_a_later_row_takes_the_place_of_the_earlier() -> None:
    one = book()
    keep(one, row(outcome="", provider_ids=()))
    assert one.find("telia", "4A5B6C") is None
    keep(one, row())
    assert found(one, "telia", "4A5B6C") == row()


@pytest.mark.parametrize("told", ["4A5B6C", "4a5b6c", "004A5B6C", str(0x4A5B6C)])
def test_a_carriers_id_is_found_however_its_receipt_spells_it(told: str) -> None:
    one = book()
    keep(one, row())
    assert found(one, "telia", told) == row()


def test_the_same_id_of_another_carrier_is_another_message() -> None:
    one = book()
    keep(one, row("m"), row("n", carrier="other"))
    assert one.find("other", "4A5B6C") == submit_key("n", 1)
    assert one.find("third", "4A5B6C") is None


def test_every_segment_leads_to_its_attempt() -> None:
    one = book()
    long = row(provider_ids=("a1", "a2", "a3"), segments=3)
    keep(one, long)
    assert [found(one, "telia", i) for i in ("a1", "a2", "a3")] == [long] * 3


def test_what_is_no_longer_at_hand_is_read_from_the_store() -> None:
    one = book()
    keep(one, *(row(f"m{n}", provider_ids=()) for n in range(MAX_RECENT + 1)))
    assert one.row("m0", 1) == row("m0", provider_ids=())
    assert Book(one.store, one.codec).row("m1", 1) == row("m1", provider_ids=())


def test_a_dropped_attempt_is_unknown_again() -> None:
    one = book()
    keep(one, row(outcome="", provider_ids=()))
    one.drop("m", 1)
    assert one.row("m", 1) is None
    assert one.sweep(NOW + KEEP_MS) == 1


def test_rows_are_swept_with_their_ids_when_no_receipt_can_come_any_more() -> None:
    one = book()
    keep(one, row())
    assert one.sweep(NOW + KEEP_MS - 1) == 0
    assert one.sweep(NOW + KEEP_MS) == 1
    assert one.row("m", 1) is None
    assert one.find("telia", "4A5B6C") is None
    assert list(one.store.scan(b"")) == []


def test_a_row_that_was_written_anew_is_kept_until_its_new_age() -> None:
    one = book()
    keep(one, row(outcome="", provider_ids=()))
    keep(one, row(at_ms=NOW + 1_000))
    one.sweep(NOW + KEEP_MS)
    assert one.row("m", 1) == row(at_ms=NOW + 1_000)
    one.sweep(NOW + KEEP_MS + 1_000)
    assert one.row("m", 1) is None


def test_a_sweep_is_bounded() -> None:
    one = book()
    keep(one, *(row(f"m{n}", provider_ids=()) for n in range(MAX_SWEPT + 5)))
    assert [one.sweep(NOW + KEEP_MS) for _ in range(3)] == [MAX_SWEPT, 5, 0]


def test_the_key_of_an_attempt_can_be_taken_apart_again() -> None:
    assert split_key(submit_key("msg-1/2", 3)) == ("msg-1/2", 3)
