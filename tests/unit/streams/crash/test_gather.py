"""What is read from the API and the peers' books becomes the values that checkers look at."""

import json
from dataclasses import replace
from pathlib import Path

from domain.audit.chain import AuditEntry, chain
from domain.audit.chain import ChainHead as Head
from streams.crash.gather import carrier_ids, mail_counts, tags_of, view_of
from streams.crash.topics import chain_of

SHOWN = {
    "status": {"state": "delivered"},
    "price": {"amount_micros": 30_000},
    "created_at": "2026-03-01T10:00:00.000Z",
    "updated_at": "2026-03-01T10:00:01.500Z",
    "attempts": [
        {"channel": "sms", "provider_message_ids": ["a", "b"], "status": {"state": "timed_out"}},
        {"channel": "email", "provider_message_ids": [], "status": {"state": "failed"}},
        {"channel": "email", "provider_message_ids": [], "status": {"state": "delivered"}},
        {"channel": "sms", "provider_message_ids": ["c"], "status": {"state": "delivered"}},
    ],
}


def test_a_view_has_all_carrier_ids_and_the_mails_that_went_out() -> None:
    view = view_of(SHOWN)
    assert (view.state, view.charged_micros, view.mails) == ("delivered", 30_000, 1)
    assert view.provider_ids == {"a", "b", "c"}
    assert view.updated_ms - view.created_ms == 1_500


def test_the_carriers_book_is_read_by_text_and_only_its_whole_lines(tmp_path: Path) -> None:
    book = tmp_path / "carrier.jsonl"
    taken = [("1", "crash-x-1"), ("2", "crash-x-1"), ("3", "crash-y-1"), ("4", "crash-x-2")]
    book.write_text("".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in taken) + '{"id": "5", "te')
    assert carrier_ids(book, "crash-x-") == {"crash-x-1": {"1", "2"}, "crash-x-2": {"4"}}


def test_the_mail_hosts_book_is_counted_by_mailbox(tmp_path: Path) -> None:
    book = tmp_path / "mx.jsonl"
    mailboxes = ["delivered+crash-x-1@a.example", "delivered+crash-x-1@a.example", "slow+crash-y-1@a.example"]
    book.write_text("".join(json.dumps({"recipient": one}) + "\n" for one in mailboxes))
    found = mail_counts(book, "crash-x-")
    assert found == {"delivered+crash-x-1@a.example": 2}
    assert tags_of(found) == {"crash-x-1"}


def test_a_book_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert carrier_ids(tmp_path / "none", "crash") == {}


def entries() -> list[AuditEntry]:
    found: list[AuditEntry] = []
    head: Head | None = None
    for number in range(3):
        entry = chain(head, "t", f"msg-{number}", "0" * 32, ("sms",), "k", number)
        head = Head("t", entry.seq, entry.hash, number)
        found.append(entry)
    return found


def test_a_whole_chain_verifies_in_whatever_order_and_however_often_its_entries_came() -> None:
    told = entries()
    whole = chain_of([*reversed(told), told[1]])
    assert whole.broken_at == 0
    assert whole.messages == {"msg-0", "msg-1", "msg-2"}


def test_a_chain_breaks_where_an_entry_is_missing_or_another() -> None:
    told = entries()
    assert chain_of([told[0], told[2]]).broken_at == 2
    assert chain_of([told[0], replace(told[1], key_id="other"), told[2]]).broken_at == 2
    assert chain_of([*told, replace(told[2], key_id="other")]).broken_at in (3, 4)
