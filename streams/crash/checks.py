"""The checkers: pure functions over the books of a campaign, each with what it counted and what it found wrong."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from streams.crash.books import Books
from streams.crash.items import LONGEST_WAIT_MS
from streams.demo.api import FINAL

MAX_SHOWN: Final = 20

Wrong = tuple[str, str]
"""Whom it is about (a message's id, a tag, a tenant, or empty) and what is wrong, as a clause."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one checker says: `counted` things were looked at, `wrong` has the failures."""

    name: str
    counted: int
    wrong: tuple[Wrong, ...]

    @property
    def ok(self) -> bool:
        """Whether something was looked at and nothing is wrong."""
        return self.counted > 0 and not self.wrong


def check(books: Books) -> list[Check]:
    """Every checker's word, in the order of the table."""
    return [
        Check(name, len(things), tuple(wrong for thing in things for wrong in judge(books, thing)))
        for name, (things_of, judge) in _CHECKERS.items()
        for things in [list(things_of(books))]
    ]


def answered(books: Books, tag: str) -> Iterator[Wrong]:
    """It was accepted or refused, and what had to be refused was."""
    told = books.told[tag]
    if not told.answered:
        yield tag, "was never answered"
    if told.ids and told.item.refused:
        yield tag, "was accepted and must be refused"
    if told.refusals and not told.item.refused:
        yield tag, f"was refused: {', '.join(sorted(told.refusals))}"


def one_message_a_key(books: Books, tag: str) -> Iterator[Wrong]:
    """However often its key came, it is one message or one refusal."""
    told = books.told[tag]
    if len(told.ids) + bool(told.refusals) > 1:
        yield tag, f"has the answers {', '.join(sorted(told.ids | told.refusals))}"


def one_final_state(books: Books, message_id: str) -> Iterator[Wrong]:
    """It reached one final state, once, and the API says the same."""
    finals, view = books.finals.get(message_id, set()), books.views.get(message_id)
    if len(finals) != 1:
        yield message_id, f"has {len(finals)} final states: {sorted(finals)}"
    if view is None:
        yield message_id, "is not known to the API"
    elif view.state not in FINAL:
        yield message_id, f"is {view.state}"
    elif finals and view.state not in {event for _, event in finals}:
        yield message_id, f"is {view.state} for the API and {sorted(finals)} on the status topic"


def one_callback(books: Books, message_id: str) -> Iterator[Wrong]:
    """Its end was told by one callback, which may have come more than once."""
    events, view = set(books.callbacks.get(message_id, ())), books.views.get(message_id)
    if view is not None and events != {f"evt-{message_id}-{view.state}"}:
        yield message_id, f"is {view.state} and has the callbacks {sorted(events)}"


def nothing_unasked(books: Books, message_id: str) -> Iterator[Wrong]:
    """What is in any book belongs to a message that a client was told of."""
    if message_id not in books.ids:
        where = [name for name, found in books.mentioned.items() if message_id in found]
        yield message_id, f"was accepted for nobody and is in {', '.join(where)}"


def ends_as_planned(books: Books, message_id: str) -> Iterator[Wrong]:
    """Its end is the one of its kind, unless something was broken while it was on its way."""
    view, told = books.views.get(message_id), books.ids[message_id]
    if view is None or view.state in told.item.ends:
        return
    if told.cancelled and view.state != "cancelled":
        yield message_id, f"was cancelled by a 200 and is {view.state}"
    if not any(
        began <= view.updated_ms and view.created_ms <= ended + LONGEST_WAIT_MS for began, ended in books.windows
    ):
        yield message_id, f"is {view.state}, a message of kind {told.item.kind}, though nothing was broken"


def money(books: Books, tenant: str) -> Iterator[Wrong]:
    """Nothing is reserved, the account adds up, the ledger sums to it, and it spent what its messages cost."""
    account, ledger = books.accounts.get(tenant, {}), books.ledgers.get(tenant)
    parts = [account.get(part, 0) for part in ("available", "reserved", "spent")]
    if sum(parts) != account.get("granted"):
        yield tenant, f"does not add up: {account}"
    if account.get("reserved") != 0:
        yield tenant, f"has {account.get('reserved')} reserved"
    charged = sum(v.charged_micros for i, v in books.views.items() if books.tenant_of(i) == tenant)
    if account.get("spent") != charged:
        yield tenant, f"spent {account.get('spent')}, and its messages cost {charged}"
    if ledger is None or not ledger.sound:
        yield tenant, f"has an unsound ledger: {ledger}"
    elif [ledger.available_micros, ledger.reserved_micros, ledger.spent_micros] != parts:
        yield tenant, f"has an account {account} that its ledger does not sum to: {ledger}"


def one_reservation(books: Books, message_id: str) -> Iterator[Wrong]:
    """Its money was set aside once and given up once."""
    kinds = sorted(books.entries.get(message_id, ()))
    if [kind == "reserve" for kind in kinds] not in ([True, False], [False, True]):
        yield message_id, f"has the ledger entries {kinds}"


def carrier_book(books: Books, message_id: str) -> Iterator[Wrong]:
    """The carrier has each attempt that went out, and no more but for those that Hermes counted as unknown."""
    view, taken = books.views.get(message_id), books.carrier.get(books.ids[message_id].item.tag, frozenset())
    if view is None:
        return
    if unheard := view.provider_ids - taken:
        yield message_id, f"has ids that the carrier never gave: {sorted(unheard)}"
    extra, unknown = len(taken - view.provider_ids), books.unknown[message_id]
    if extra > unknown:
        yield message_id, f"was submitted {extra} times more than its attempts say, and {unknown} were counted unknown"


def mail_book(books: Books, message_id: str) -> Iterator[Wrong]:
    """The mail host has each mail that went out, and no more but for those that Hermes counted as unknown."""
    view, taken = books.views.get(message_id), books.mails[books.ids[message_id].item.mailbox]
    if view is None:
        return
    unknown = books.unknown[message_id]
    if not view.mails <= taken <= view.mails + unknown:
        yield (
            message_id,
            f"says that {view.mails} mails went out, the host has {taken}, and {unknown} were counted unknown",
        )


def submitted_again(books: Books) -> int:
    """How often the peers took more than the attempts say: hand-overs whose answer was lost, and which were done again."""
    found = 0
    for message_id, told in books.ids.items():
        if (view := books.views.get(message_id)) is not None:
            found += len(books.carrier.get(told.item.tag, frozenset()) - view.provider_ids)
            found += max(books.mails[told.item.mailbox] - view.mails, 0)
    return found


def strangers(books: Books, tag: str) -> Iterator[Wrong]:
    """Nothing was handed to a peer for a message that was not accepted."""
    told = books.told.get(tag)
    if told is None or not told.ids:
        yield tag, "is in the carrier's or the mail host's book and was not accepted"


def receipt(books: Books, message_id: str) -> Iterator[Wrong]:
    """A message that came by SMPP was answered by receipts that say one thing."""
    words = set(books.receipts.get(message_id, ()))
    if len(words) != 1:
        yield message_id, f"has the receipts {sorted(words)}"
    view = books.views.get(message_id)
    if words and view is not None and (words == {"DELIVRD"}) != (view.state == "delivered"):
        yield message_id, f"is {view.state} and has the receipt {sorted(words)}"


def audit(books: Books, tenant: str) -> Iterator[Wrong]:
    """Its chain is unbroken and has every message that was accepted, and no other."""
    chain = books.audits.get(tenant)
    wanted = {message_id for message_id in books.ids if books.tenant_of(message_id) == tenant}
    if chain is None:
        if wanted:
            yield tenant, "has no chain"
    elif chain.broken_at:
        yield tenant, f"has a chain that breaks at entry {chain.broken_at}"
    elif chain.messages != wanted:
        yield (
            tenant,
            f"has a chain without {len(wanted - chain.messages)} messages, {len(chain.messages - wanted)} others",
        )


def archive(books: Books, message_id: str) -> Iterator[Wrong]:
    """The archive says what the live table says."""
    view, kept = books.views.get(message_id), books.archive.get(message_id)
    if view is not None and kept != (view.state, view.charged_micros):
        yield message_id, f"is {view.state} for {view.charged_micros} in the live table and {kept} in the archive"
    if message_id in books.differing:
        yield message_id, "reads otherwise from the archive than from the live table"


def groups(books: Books, place: str) -> Iterator[Wrong]:
    """The consumer group has read its topic to the end."""
    if books.lags[place]:
        yield "", f"{place} is {books.lags[place]} records behind"


def recovery(books: Books, blow: str) -> Iterator[Wrong]:
    """After the blow the product worked again in time."""
    name, recovered_ms = books.recoveries[int(blow)]
    if recovered_ms is None:
        yield "", f"after blow {blow}, {name}, the product did not come back"


def _accepted_by_smpp(books: Books) -> Iterable[str]:
    return [message_id for message_id, told in books.ids.items() if told.item.way == "smpp"]


def _mentioned(books: Books) -> Iterable[str]:
    return sorted(set().union(*books.mentioned.values()))


def _peers(books: Books) -> Iterable[str]:
    return sorted(books.carrier.keys() | books.mailed)


Things = Callable[[Books], Iterable[str]]
Judge = Callable[[Books, str], Iterator[Wrong]]
_CHECKERS: Final[dict[str, tuple[Things, Judge]]] = {
    "every request has its answer": (lambda b: b.told, answered),
    "one idempotency key, one message": (lambda b: b.told, one_message_a_key),
    "every accepted message has one final state": (lambda b: b.ids, one_final_state),
    "every accepted message has one final callback": (lambda b: b.ids, one_callback),
    "every message ends as its kind does, or was hit": (lambda b: b.ids, ends_as_planned),
    "nothing but accepted messages had an effect": (_mentioned, nothing_unasked),
    "accounts, ledger and charges agree, nothing reserved": (lambda b: b.accounts, money),
    "one reservation, resolved once": (lambda b: b.ids, one_reservation),
    "the carrier has each attempt once": (lambda b: b.ids, carrier_book),
    "the mail host has each mail once": (lambda b: b.ids, mail_book),
    "peers have accepted messages only": (_peers, strangers),
    "every SMPP message has its receipt": (_accepted_by_smpp, receipt),
    "the audit chains verify": (lambda b: b.accounts, audit),
    "archive and live table agree": (lambda b: b.ids, archive),
    "every consumer group is at the end of its topics": (lambda b: b.lags, groups),
    "the product came back after each blow": (lambda b: map(str, b.recoveries), recovery),
}
