"""Money: one account a tenant, reserve → settle or release, every movement an entry. Integers in micro-units."""

from dataclasses import dataclass
from typing import Literal

from domain.evolve import evolve, quick

EntryKind = Literal["grant", "reserve", "settle", "release"]


@quick
@dataclass(frozen=True, slots=True)
class Account:
    """A tenant's money; `available + reserved + spent = granted` always.

    The offsets say which record of each input topic was applied last: an older one changes nothing any more. Entries are
    counted for each topic apart, `reserve_seq` those of submissions and `seq` the others: after a crash the records of one
    topic are done again in their order, but those of two may meet in another, and a number once given must stay unique.
    """

    tenant_id: str
    available_micros: int = 0
    reserved_micros: int = 0
    spent_micros: int = 0
    granted_micros: int = 0
    seq: int = 0
    submissions_offset: int = -1
    billing_offset: int = -1
    reserve_seq: int = 0


@quick
@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One movement. `entry_id` is unique for ever: a repeated entry is the same movement.

    `available`, `reserved`, `spent` and `granted` are the changes, so the sum of the entries is the account. `seq` numbers the
    tenant's reservations from 1, and all its other entries from 1.
    """

    entry_id: str
    tenant_id: str
    message_id: str
    kind: EntryKind
    available_micros: int
    reserved_micros: int
    spent_micros: int
    granted_micros: int
    seq: int
    at_ms: int
    channel: str = ""
    carrier: str = ""
    segments: int = 0
    cost_micros: int = 0


@quick
@dataclass(frozen=True, slots=True)
class Settle:
    """The reservation of `message_id` is over: `charge_micros` of it is spent, the rest is available again."""

    tenant_id: str
    message_id: str
    reserved_micros: int
    charge_micros: int
    at_ms: int
    channel: str = ""
    carrier: str = ""
    segments: int = 0
    cost_micros: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """Credit is added to a tenant's account; `grant_id` makes it happen once."""

    tenant_id: str
    grant_id: str
    amount_micros: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class AccountAsked:
    """A gateway wants to know the account; the answer goes to its slot."""

    tenant_id: str
    ask_id: str
    slot: int


@dataclass(frozen=True, slots=True)
class AccountTold:
    """The account of a tenant at the moment its question was read."""

    ask_id: str
    account: Account


@quick
@dataclass(frozen=True, slots=True)
class Resolution:
    """How a reservation or grant was resolved, and by which record: a second resolution of the same id is ignored."""

    entry: LedgerEntry
    offset: int
    expires_at_ms: int


def reserve_entry(account: Account, message_id: str, amount_micros: int, at_ms: int) -> LedgerEntry:
    """The movement that sets `amount_micros` aside for a message."""
    return LedgerEntry(
        f"reserve:{message_id}", account.tenant_id, message_id, "reserve",
        -amount_micros, amount_micros, 0, 0, account.reserve_seq + 1, at_ms,
    )  # fmt: skip


def settle_entry(account: Account, settle: Settle) -> LedgerEntry:
    """The movement that ends a reservation: a charge never exceeds what was reserved."""
    charge = min(settle.charge_micros, settle.reserved_micros)
    kind: EntryKind = "settle" if charge else "release"
    return LedgerEntry(
        f"resolve:{settle.message_id}", settle.tenant_id, settle.message_id, kind,
        settle.reserved_micros - charge, -settle.reserved_micros, charge, 0, account.seq + 1, settle.at_ms,
        settle.channel, settle.carrier, settle.segments, settle.cost_micros,
    )  # fmt: skip


def grant_entry(account: Account, grant: Grant) -> LedgerEntry:
    """The movement that adds credit."""
    return LedgerEntry(
        f"grant:{grant.grant_id}", grant.tenant_id, "", "grant",
        grant.amount_micros, 0, 0, grant.amount_micros, account.seq + 1, grant.at_ms,
    )  # fmt: skip


def apply(account: Account, entry: LedgerEntry) -> Account:
    """The account after `entry`."""
    reserves = entry.kind == "reserve"
    return evolve(
        account,
        available_micros=account.available_micros + entry.available_micros,
        reserved_micros=account.reserved_micros + entry.reserved_micros,
        spent_micros=account.spent_micros + entry.spent_micros,
        granted_micros=account.granted_micros + entry.granted_micros,
        seq=max(account.seq, 0 if reserves else entry.seq),
        reserve_seq=max(account.reserve_seq, entry.seq if reserves else 0),
    )


def is_sound(account: Account) -> bool:
    """Whether the account adds up."""
    return account.available_micros + account.reserved_micros + account.spent_micros == account.granted_micros
