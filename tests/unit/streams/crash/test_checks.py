"""Each checker is content with sound books, and finds the one thing that is wrong in others."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from streams.crash.books import Books, Chain
from streams.crash.checks import check, submitted_again
from tests.unit.streams.crash.books import BY_SMPP, GROUP, IDS, MAIL, PRICE, SMS, changed, good, told, view

ENDED = "every accepted message has one final state"
MONEY = "accounts, ledger and charges agree, nothing reserved"


def failed(books: Books) -> list[str]:
    return [one.name for one in check(books) if not one.ok]


def patched(name: str, **values: Any) -> Books:
    """The good books with entries of one mapping replaced; None removes one."""
    merged = {**getattr(good(), name), **values}
    return changed(**{name: {key: value for key, value in merged.items() if value is not None}})


def with_told(one: Any) -> Books:
    books = good()
    return replace(books, told={**books.told, one.item.tag: one})


def account(**values: int) -> Books:
    accounts = good().accounts
    return changed(accounts={**accounts, "tenant-a": {**accounts["tenant-a"], **values}})


def test_every_checker_counts_something_in_sound_books_and_is_content() -> None:
    checks = check(good())
    assert [(one.name, one.wrong) for one in checks if not one.ok] == []
    assert len(checks) == 16


WRONG: dict[str, tuple[Callable[[], Books], str]] = {
    "a request without an answer": (lambda: with_told(told(9, "single", "good")), "every request has its answer"),
    "a good message that was refused": (
        lambda: with_told(told(9, "single", "good", "", "overdrawn")), "every request has its answer",
    ),
    "two messages of one key": (
        lambda: with_told(replace(told(1, "single", "good", SMS), ids={SMS, MAIL})), "one idempotency key, one message",
    ),
    "an acceptance and a refusal of one key": (
        lambda: with_told(told(1, "single", "good", SMS, "unauthorized")), "one idempotency key, one message",
    ),
    "no end": (lambda: patched("finals", **{SMS: None}), ENDED),
    "two ends": (lambda: patched("finals", **{SMS: {(3, "delivered"), (4, "exhausted")}}), ENDED),
    "one that the API does not know": (lambda: patched("views", **{SMS: None}), ENDED),
    "one that still waits": (lambda: patched("views", **{SMS: view("waiting_confirmation", ("c1",))}), ENDED),
    "an end that the API tells otherwise": (lambda: patched("finals", **{SMS: {(3, "exhausted")}}), ENDED),
    "no callback": (lambda: patched("callbacks", **{SMS: None}), "every accepted message has one final callback"),
    "callbacks of two ends": (
        lambda: patched("callbacks", **{SMS: {f"evt-{SMS}-delivered": 1, f"evt-{SMS}-expired": 1}}),
        "every accepted message has one final callback",
    ),
    "another end though nothing was broken": (
        lambda: patched("views", **{SMS: view("exhausted", ("c1",))}), "every message ends as its kind does, or was hit",
    ),
    "an effect of what nobody was told of": (
        lambda: patched("mentioned", **{"the archive": IDS | {"msg-9"}}), "nothing but accepted messages had an effect",
    ),
    "money that is still reserved": (lambda: account(reserved=PRICE, available=100 - PRICE), MONEY),
    "an account that does not add up": (lambda: account(granted=7), MONEY),
    "a charge of no message": (lambda: account(spent=4 * PRICE, available=100 - PRICE), MONEY),
    "a ledger that misses an entry": (
        lambda: patched("ledgers", **{"tenant-a": replace(good().ledgers["tenant-a"], missing=1)}), MONEY,
    ),
    "a ledger that sums to something else": (
        lambda: patched("ledgers", **{"tenant-b": replace(good().ledgers["tenant-b"], available_micros=40, granted_micros=40)}),
        MONEY,
    ),
    "a reservation that was resolved twice": (
        lambda: patched("entries", **{SMS: ("release", "reserve", "settle")}), "one reservation, resolved once",
    ),
    "an attempt submitted twice": (
        lambda: patched("carrier", **{"crash-x-1": frozenset({"c1", "c9"})}), "the carrier has each attempt once",
    ),
    "an attempt that the carrier never had": (
        lambda: patched("carrier", **{"crash-x-1": None}), "the carrier has each attempt once",
    ),
    "a mail sent twice": (
        lambda: changed(mails=Counter(dict.fromkeys(good().mails, 2))), "the mail host has each mail once",
    ),
    "a mail that never went out": (lambda: changed(mails=Counter()), "the mail host has each mail once"),
    "a refused message that a peer has": (
        lambda: patched("carrier", **{"crash-x-4": frozenset({"c4"})}), "peers have accepted messages only",
    ),
    "no receipt": (lambda: patched("receipts", **{BY_SMPP: None}), "every SMPP message has its receipt"),
    "a receipt that says something else": (
        lambda: patched("receipts", **{BY_SMPP: {"UNDELIV": 1}}), "every SMPP message has its receipt",
    ),
    "a broken chain": (lambda: patched("audits", **{"tenant-a": Chain(IDS, 2)}), "the audit chains verify"),
    "a chain without a message": (
        lambda: patched("audits", **{"tenant-a": Chain(IDS - {SMS})}), "the audit chains verify",
    ),
    "no chain at all": (lambda: patched("audits", **{"tenant-a": None}), "the audit chains verify"),
    "an archive without a message": (lambda: patched("archive", **{SMS: None}), "archive and live table agree"),
    "an archive that reads otherwise": (
        lambda: changed(differing=frozenset({MAIL})), "archive and live table agree",
    ),
    "a group that is behind": (
        lambda: patched("lags", **{GROUP: 3}), "every consumer group is at the end of its topics",
    ),
    "a blow that it did not survive": (
        lambda: changed(recoveries={1: ("kill kafka", None)}), "the product came back after each blow",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_book_is_found_by_its_checker(what: str) -> None:
    books, checker = WRONG[what]
    assert checker in failed(books())


def test_nothing_to_look_at_is_no_success() -> None:
    assert "every consumer group is at the end of its topics" in failed(changed(lags={}))


def test_what_was_counted_unknown_may_be_there_twice() -> None:
    twice = replace(
        patched("carrier", **{"crash-x-1": frozenset({"c1", "c9"})}), mails=Counter(dict.fromkeys(good().mails, 2))
    )
    assert failed(replace(twice, unknown=Counter({SMS: 1, MAIL: 1}))) == []
    assert submitted_again(twice) == 2


def test_a_message_that_was_on_its_way_when_something_broke_may_end_otherwise() -> None:
    lost = replace(
        patched("views", **{SMS: view("exhausted", ("c1",))}),
        finals={**good().finals, SMS: {(3, "exhausted")}},
        callbacks={**good().callbacks, SMS: {f"evt-{SMS}-exhausted": 1}},
        archive={**good().archive, SMS: ("exhausted", PRICE)},
    )
    assert failed(lost) == ["every message ends as its kind does, or was hit"]
    assert failed(replace(lost, windows=((1_500, 1_600),))) == []
    assert failed(replace(lost, windows=((5_000, 9_000),))) == ["every message ends as its kind does, or was hit"]


def test_a_cancellation_that_was_granted_has_to_hold() -> None:
    one = replace(told(1, "single", "scheduled", SMS), cancelled=True)
    books = replace(with_told(one), windows=((1_500, 1_600),))
    assert failed(books) == ["every message ends as its kind does, or was hit"]
