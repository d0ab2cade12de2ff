"""What every store promises, held to one suite: memory and RocksDB."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tables.store import MemoryStore, RocksStore, Store


@pytest.fixture(params=["memory", "rocks"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else RocksStore(tmp_path / "store")
    yield made
    made.close()


def test_a_key_that_was_never_written_has_no_value(store: Store) -> None:
    assert store.get(b"a") is None


def test_what_was_written_is_read_until_it_is_deleted(store: Store) -> None:
    store.write([(b"a", b"1"), (b"b", b"")])
    assert (store.get(b"a"), store.get(b"b")) == (b"1", b"")
    store.write([(b"a", b"2"), (b"b", None), (b"never", None)])
    assert (store.get(b"a"), store.get(b"b")) == (b"2", None)


def test_the_last_of_two_writes_to_a_key_in_one_batch_counts(store: Store) -> None:
    store.write([(b"a", b"1"), (b"a", None), (b"a", b"3")])
    assert store.get(b"a") == b"3"


def test_a_scan_gives_the_keys_of_its_prefix_in_their_order(store: Store) -> None:
    store.write([(key, key) for key in (b"b\xff", b"a", b"b\x00", b"c", b"b", b"ba")])
    assert [key for key, _ in store.scan(b"b")] == [b"b", b"b\x00", b"ba", b"b\xff"]
    assert list(store.scan(b"z")) == []


def test_a_checkpoint_is_empty_until_it_is_set_and_no_row_of_a_scan(store: Store) -> None:
    assert store.checkpoint() == {}
    store.set_checkpoint({"hermes.admissions.v1": 7})
    store.set_checkpoint({"hermes.admissions.v1": 9, "hermes.messages.v1": 3})
    assert store.checkpoint() == {"hermes.admissions.v1": 9, "hermes.messages.v1": 3}
    assert list(store.scan(b"t")) == []


def test_rows_and_checkpoint_on_disk_are_there_when_it_is_opened_again(tmp_path: Path) -> None:
    first = RocksStore(tmp_path / "store")
    first.write([(b"a", b"1")])
    first.set_checkpoint({"t": 1})
    first.close()
    again = RocksStore(tmp_path / "store")
    assert (again.get(b"a"), again.checkpoint()) == (b"1", {"t": 1})
    again.close()
