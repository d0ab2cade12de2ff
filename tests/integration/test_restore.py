"""Local state and its changelogs: what does not belong together is refused."""

import pytest

from egress.book import Book
from egress.book_restore import BookError, restore_book
from schemas.catalogue import codec
from schemas.topics import ADMISSIONS, FIXED
from streams.admin import ensure_topics
from streams.restore import RestoreError, restore
from tables.partition import Partition
from tables.store import MemoryStore
from tests.conftest import Stack

pytestmark = pytest.mark.integration

PARTITIONS = 4
FAR = 10**9


def test_a_partition_ahead_of_its_changelog_is_not_restored(stack: Stack) -> None:
    ensure_topics(stack.bootstrap, FIXED, PARTITIONS)
    store = MemoryStore()
    store.set_checkpoint({ADMISSIONS.name: FAR})
    with pytest.raises(RestoreError, match="belongs to another Kafka"):
        restore(stack.bootstrap, Partition(0, store, codec()))


def test_a_book_ahead_of_its_changelog_is_not_restored(stack: Stack) -> None:
    ensure_topics(stack.bootstrap, FIXED, PARTITIONS)
    store = MemoryStore()
    store.set_checkpoint({"0": FAR})
    with pytest.raises(BookError, match="belongs to another Kafka"):
        restore_book(stack.bootstrap, Book(store, codec()))
