"""The keeper of accounts does what a cash book would: each reservation is resolved once, and what comes again changes nothing."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.account import KeepAccount
from domain.billing.money import (
    Account,
    AccountAsked,
    AccountTold,
    Grant,
    LedgerEntry,
    Settle,
    apply,
    is_sound,
    reserve_entry,
)
from domain.evolve import evolve
from schemas.topics import LEDGER, VERDICTS
from tables.catalogue import ACCOUNTS, RESOLUTIONS

TENANT = "t1"
amounts = st.sampled_from((1, 500, 30_000, 1_000_000))


@dataclass
class Desk:
    """A context in memory: tables as dictionaries, what was emitted as a list."""

    offset: int = -1
    rows: dict[tuple[str, str], Any] = field(default_factory=dict)
    told: list[tuple[str, Any]] = field(default_factory=list)

    def get(self, table: Any, key: str) -> Any:
        return self.rows.get((table.name, key))

    def put(self, table: Any, key: str, row: Any) -> None:
        self.rows[table.name, key] = row

    def emit(self, to: Any, key: str, value: Any, partition: int | None = None) -> None:
        self.told.append((to.name, value))

    def count(self, metric: str, amount: float = 1, **labels: str) -> None: ...

    def gauge(self, metric: str, value: float, **labels: str) -> None: ...


class AccountMachine(RuleBasedStateMachine):
    """The agent, fed record by record as its topic has them, beside a cash book of four numbers and a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.topic: list[Settle | Grant] = []
        self.answers: dict[int, list[Any]] = {}
        self.entries: dict[str, LedgerEntry] = {}
        self.reserved: dict[str, int] = {}
        self.spent: dict[str, int] = {}
        self.granted: dict[str, int] = {}
        self.messages = 0

    def account(self) -> Account:
        found: Account = self.desk.get(ACCOUNTS, TENANT) or Account(TENANT)
        return found

    def do(self, offset: int) -> list[Any]:
        """Let the agent handle the record at `offset`; what it told."""
        self.desk.offset = offset
        self.desk.told.clear()
        KeepAccount().handle(self.topic[offset], self.desk)  # type: ignore[arg-type]  # as much of a context as it needs
        assert all(to == LEDGER.name for to, _ in self.desk.told)
        return [value for _, value in self.desk.told]

    def append(self, value: Settle | Grant) -> list[LedgerEntry]:
        """A new record, and what it led to; every entry told is new or the same as before."""
        self.topic.append(value)
        told = self.do(len(self.topic) - 1)
        self.answers[len(self.topic) - 1] = told
        for entry in told:
            assert self.entries.setdefault(entry.entry_id, entry) == entry
        return told

    @rule(amount=amounts, grant_id=st.sampled_from("abcd"))
    def credit_is_granted(self, amount: int, grant_id: str) -> None:
        told = self.append(Grant(TENANT, grant_id, amount, len(self.topic)))
        assert len(told) == (grant_id not in self.granted)
        self.granted.setdefault(grant_id, amount)

    @rule(amount=amounts)
    def something_is_set_aside(self, amount: int) -> None:
        """As layer 4 and the answer do it, from the other topic."""
        self.messages += 1
        message_id = f"msg-{self.messages}"
        before = self.account()
        entry = reserve_entry(before, message_id, amount, self.messages)
        assert entry.seq == self.messages
        self.desk.put(ACCOUNTS, TENANT, evolve(apply(before, entry), submissions_offset=self.messages))
        self.entries[entry.entry_id] = entry
        self.reserved[message_id] = amount

    @precondition(lambda self: self.reserved)
    @rule(data=st.data(), charge=st.sampled_from((0, 0, 400, 30_000, 2_000_000)))
    def a_message_ends(self, data: st.DataObject, charge: int) -> None:
        message_id = data.draw(st.sampled_from(sorted(self.reserved)))
        told = self.append(Settle(TENANT, message_id, self.reserved[message_id], charge, len(self.topic), "sms"))
        if message_id in self.spent:
            assert told == [], "a reservation is resolved once"
            return
        self.spent[message_id] = min(charge, self.reserved[message_id])
        (entry,) = told
        assert entry.kind == ("settle" if self.spent[message_id] else "release")

    @precondition(lambda self: self.topic)
    @rule(data=st.data())
    def records_are_done_again(self, data: st.DataObject) -> None:
        """As after a crash: from some offset on, in their order, over state that has them already."""
        first = data.draw(st.integers(0, len(self.topic) - 1))
        before = dict(self.desk.rows)
        for offset in range(first, len(self.topic)):
            assert self.do(offset) == self.answers[offset], "what is done again tells the same again"
        assert self.desk.rows == before

    @precondition(lambda self: self.topic)
    @rule(data=st.data())
    def a_sum_is_lost(self, data: st.DataObject) -> None:
        """As after a crash that kept what was resolved and not the account: the last records of its topic are done again."""
        first = data.draw(st.integers(max(0, len(self.topic) - 3), len(self.topic)))
        done = [e for offset in range(first) for e in self.answers[offset]]
        account = Account(TENANT, submissions_offset=self.account().submissions_offset, billing_offset=first - 1)
        reserves = [e for e in self.entries.values() if e.kind == "reserve"]
        for entry in (*reserves, *done):
            account = apply(account, entry)
        whole = self.account()
        self.desk.put(ACCOUNTS, TENANT, account)
        for offset in range(first, len(self.topic)):
            assert self.do(offset) == self.answers[offset]
        if first < len(self.topic) and any(self.answers[n] for n in range(first, len(self.topic))):
            assert evolve(self.account(), billing_offset=whole.billing_offset) == whole
        self.desk.put(ACCOUNTS, TENANT, whole)

    @rule()
    def somebody_asks(self) -> None:
        self.desk.told.clear()
        KeepAccount().handle(AccountAsked(TENANT, "ask", 3), self.desk)  # type: ignore[arg-type]  # the same
        assert self.desk.told == [(VERDICTS.name, AccountTold("ask", self.account()))]

    @invariant()
    def the_cash_book_agrees(self) -> None:
        account = self.account()
        open_micros = sum(amount for m, amount in self.reserved.items() if m not in self.spent)
        assert is_sound(account)
        assert account.granted_micros == sum(self.granted.values())
        assert account.spent_micros == sum(self.spent.values())
        assert account.reserved_micros == open_micros
        assert account.available_micros == sum(self.granted.values()) - sum(self.spent.values()) - open_micros

    @invariant()
    def the_entries_are_the_account(self) -> None:
        account, entries = self.account(), self.entries.values()
        assert account.available_micros == sum(e.available_micros for e in entries)
        assert account.reserved_micros == sum(e.reserved_micros for e in entries)
        for reserves, last in ((True, account.reserve_seq), (False, account.seq)):
            numbers = sorted(e.seq for e in entries if (e.kind == "reserve") is reserves)
            assert numbers == list(range(1, last + 1))
        resolved = {e.message_id for e in entries if e.kind in ("settle", "release")}
        assert resolved == self.spent.keys()
        kept = {key for name, key in self.desk.rows if name == RESOLUTIONS.name}
        assert kept == {e.entry_id for e in entries if e.kind != "reserve"}


AccountMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
TestAccount = AccountMachine.TestCase
