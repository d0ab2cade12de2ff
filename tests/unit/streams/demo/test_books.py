"""The books of the simulated peers."""

from pathlib import Path

from streams.demo.books import Books


def test_texts_and_mailboxes_are_counted_and_a_line_still_being_written_is_left(tmp_path: Path) -> None:
    (tmp_path / "carrier").write_text('{"text": "a"}\n{"text": "b"}\n{"text": "a"}\n{"text": "a')
    (tmp_path / "mx").write_text('{"recipient": "x@y"}\n')
    books = Books(tmp_path / "carrier", tmp_path / "mx")
    assert books.texts() == {"a": 2, "b": 1}
    assert books.mailboxes() == {"x@y": 1}


def test_a_book_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert not Books(tmp_path / "carrier", tmp_path / "mx").texts()
