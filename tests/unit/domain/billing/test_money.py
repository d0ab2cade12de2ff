"""The account adds up, whatever is reserved, settled and granted in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from domain.billing.money import (
    Account,
    Grant,
    LedgerEntry,
    Settle,
    apply,
    grant_entry,
    is_sound,
    reserve_entry,
    settle_entry,
)

amounts = st.integers(0, 10_000_000)


def test_a_reservation_moves_money_aside() -> None:
    account = Account("t1", available_micros=100, granted_micros=100)
    account = apply(account, reserve_entry(account, "msg-1", 30, 5))
    assert (account.available_micros, account.reserved_micros, account.reserve_seq) == (70, 30, 1)


def test_a_settlement_spends_the_charge_and_gives_the_rest_back() -> None:
    account = Account("t1", 70, 30, 0, 100, 1)
    entry = settle_entry(account, Settle("t1", "msg-1", 30, 20, 9, "sms", "c1", 1, 12))
    account = apply(account, entry)

    assert (account.available_micros, account.reserved_micros, account.spent_micros) == (80, 0, 20)
    assert (entry.kind, entry.entry_id, entry.cost_micros) == ("settle", "resolve:msg-1", 12)


def test_a_settlement_without_a_charge_is_a_release() -> None:
    entry = settle_entry(Account("t1", 70, 30, 0, 100, 1), Settle("t1", "msg-1", 30, 0, 9))
    assert (entry.kind, entry.available_micros, entry.spent_micros) == ("release", 30, 0)


def test_a_charge_above_the_reservation_is_cut_to_it() -> None:
    entry = settle_entry(Account("t1"), Settle("t1", "msg-1", 30, 99, 9))
    assert (entry.available_micros, entry.reserved_micros, entry.spent_micros) == (0, -30, 30)


@given(st.lists(st.tuples(st.sampled_from(("grant", "reserve")), amounts, amounts)))
def test_every_history_is_sound_and_the_sum_of_its_entries_is_the_account(
    moves: list[tuple[str, int, int]],
) -> None:
    account, entries = Account("t1"), list[LedgerEntry]()

    def book(entry: LedgerEntry) -> Account:
        entries.append(entry)
        return apply(account, entry)

    for n, (kind, amount, charge) in enumerate(moves):
        if kind == "grant":
            account = book(grant_entry(account, Grant("t1", str(n), amount, n)))
        else:
            account = book(reserve_entry(account, f"msg-{n}", amount, n))
            assert is_sound(account)
            account = book(settle_entry(account, Settle("t1", f"msg-{n}", amount, charge, n)))
        assert is_sound(account)

    assert account.reserved_micros == 0
    for reserves, last in ((True, account.reserve_seq), (False, account.seq)):
        numbers = [e.seq for e in entries if (e.kind == "reserve") is reserves]
        assert numbers == list(range(1, last + 1))
    assert len({e.entry_id for e in entries}) == len(entries)
    assert account.available_micros == sum(e.available_micros for e in entries)
    assert account.spent_micros == sum(e.spent_micros for e in entries)
    assert account.granted_micros == sum(e.granted_micros for e in entries)


def test_an_account_that_does_not_add_up_shows() -> None:
    assert not is_sound(Account("t1", available_micros=1))
