"""The simulated carrier's numbers and its book."""

import json
from pathlib import Path
from typing import Any

from deploy.sandbox.carrier_book import Book
from schemas.smpp.pdu import ShortMessage
from schemas.smpp.udh import concat8


def message(octets: bytes = b"hi", **changes: Any) -> ShortMessage:
    return ShortMessage(source_addr="Hermes", destination_addr="4599000004", short_message=octets)._replace(**changes)


def test_each_known_number_has_its_behaviour_with_or_without_plus() -> None:
    book = Book()
    assert [book.behaviour(f"+459900000{last}") for last in range(1, 7)] == [
        "delivered",
        "undeliverable",
        "no_receipt",
        "throttled_first",
        "late_receipt",
        "delivered",
    ]
    assert book.behaviour("4599000002") == "undeliverable"


def test_a_throttled_segment_is_refused_once_or_twice_by_its_content_and_again_when_sent_anew() -> None:
    book = Book()
    assert [book.throttles(message(b"\x02")) for _ in range(4)] == [True, False, True, False]
    assert [book.throttles(message(b"\x01")) for _ in range(4)] == [True, True, False, True]


def test_the_book_holds_each_accepted_segment_with_its_text(tmp_path: Path) -> None:
    path = tmp_path / "book"
    book = Book(path)
    first = book.accept(message(sequence=4))
    second = book.accept(message(concat8(7, 2, 1) + b"\x00\x41", esm_class=0x40, data_coding=8, sequence=5))
    third = book.accept(message(b"\xff", data_coding=4))
    book.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"id": first, "source": "Hermes", "dest": "4599000004", "text": "hi", "sequence": 4}
    assert lines[1] == {
        "id": second,
        "source": "Hermes",
        "dest": "4599000004",
        "text": "A",
        "sequence": 5,
        "ref": 7,
        "part": 1,
        "parts": 2,
    }
    assert lines[2]["text"] == "ff"
    assert len({first, second, third}) == 3
    assert book.counts["accepted"] == 3


def test_the_ids_of_two_runs_differ() -> None:
    assert Book().accept(message()) != Book().accept(message())
