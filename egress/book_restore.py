"""Brings the egress' book up to date from `hermes.submits`, from where its store had read it to."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from egress.book import Book, split_key, submit_key
from schemas.rows import Submit
from schemas.topics import SUBMITS
from tables.changelog import RESTORE_WAIT_MS, changelog_reader, ends_of

BATCH_RECORDS = 5_000
PATIENCE_S = 30.0


class BookError(Exception):
    """The book's changelog could not be read to its end in time, or is not the one that the book came from."""


def restore_book(bootstrap: str, book: Book) -> int:
    """Read all partitions to their ends; returns how many rows were applied. Call it before anything is consumed."""
    checkpoint = book.store.checkpoint()
    reader = changelog_reader(bootstrap, RESTORE_WAIT_MS)
    try:
        numbers = reader.list_topics(SUBMITS.name, timeout=PATIENCE_S).topics[SUBMITS.name].partitions
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
        ends = {number: end for (_, number), end in ends_of(admin, [(SUBMITS.name, n) for n in numbers]).items()}
        starts = {number: checkpoint.get(str(number), 0) for number in ends}
        for number, end in ends.items():
            if starts[number] > end:
                raise BookError(
                    f"the local book is ahead of {SUBMITS.name}/{number}: it belongs to another Kafka, or that one lost "
                    "records; move the egress' folder away and start again"
                )
        open_ones = {n for n, end in ends.items() if starts[n] < end}
        reader.assign([TopicPartition(SUBMITS.name, n, starts[n]) for n in open_ones])
        applied = _read(reader, book, open_ones)
    finally:
        reader.close()
    book.store.set_checkpoint({str(n): end for n, end in ends.items()})
    return applied


def _read(reader: Consumer, book: Book, open_ones: set[int]) -> int:
    applied = 0
    deadline = time.monotonic() + PATIENCE_S
    while open_ones:
        rows: list[Submit] = []
        for message in (*reader.consume(1, 0.2), *reader.consume(BATCH_RECORDS, 0)):
            error, value = message.error(), message.value()
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                open_ones.discard(message.partition() or 0)
            elif value is not None:
                rows.append(book.codec.decode(value))
            else:
                gone = (message.key() or b"").decode()
                rows = [r for r in rows if submit_key(r.message_id, r.attempt) != gone]
                book.drop(*split_key(gone))
        if rows:
            book.save(rows, book.encoded(rows))
            applied += len(rows)
            deadline = time.monotonic() + PATIENCE_S
        elif time.monotonic() > deadline:
            raise BookError(f"{SUBMITS.name} could not be read to its end")
    return applied
