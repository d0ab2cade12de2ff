"""Books of a small campaign in which everything is as it should be."""

from collections import Counter
from dataclasses import replace
from typing import Any

from egress.archive.ledger import LedgerCheck
from streams.crash.books import Books, Chain, View
from streams.crash.history import Told
from streams.crash.items import Item, Kind, Way

TENANTS = ("tenant-a", "tenant-b")
SMS, BY_SMPP, MAIL = "msg-1", "msg-2", "msg-3"
IDS = frozenset({SMS, BY_SMPP, MAIL})
PRICE = 30_000
GROUP = "hermes.pipeline hermes.cascade.v1/0"


def told(number: int, way: Way, kind: Kind, message_id: str = "", *refusals: str) -> Told:
    """One message of the first tenant and its answers."""
    item = Item(f"crash-x-{number}", number, way, kind, 0)
    return Told(item, {message_id} - {""}, set(refusals), 1)


def view(state: str = "delivered", ids: tuple[str, ...] = (), mails: int = 0) -> View:
    return View(state, PRICE, frozenset(ids), mails, 1_000, 2_000)


def good() -> Books:
    """An SMS over REST, one over SMPP, a mail, and a request that was refused."""
    messages = (
        told(1, "single", "good", SMS), told(2, "smpp", "good", BY_SMPP), told(3, "smtp", "mail", MAIL),
        told(4, "single", "no number", "", "validation_failed"),
    )  # fmt: skip
    by_tag = {one.item.tag: one for one in messages}
    spent = {"available": 100, "reserved": 0, "spent": 3 * PRICE, "granted": 100 + 3 * PRICE}
    none = {"available": 50, "reserved": 0, "spent": 0, "granted": 50}
    return Books(
        tenants=TENANTS,
        told=by_tag,
        callbacks={one: {f"evt-{one}-delivered": 2} for one in IDS},
        receipts={BY_SMPP: {"DELIVRD": 1}},
        views={SMS: view(ids=("c1",)), BY_SMPP: view(ids=("c2",)), MAIL: view(mails=1)},
        finals={one: {(3, "delivered")} for one in IDS},
        mentioned={"the ledger": IDS, "the archive": IDS},
        accounts={"tenant-a": spent, "tenant-b": none},
        ledgers={
            "tenant-a": LedgerCheck("tenant-a", 7, 100, 0, 3 * PRICE, 100 + 3 * PRICE, 0, 0),
            "tenant-b": LedgerCheck("tenant-b", 1, 50, 0, 0, 50, 0, 0),
        },
        entries=dict.fromkeys(IDS, ("reserve", "settle")),
        carrier={"crash-x-1": frozenset({"c1"}), "crash-x-2": frozenset({"c2"})},
        mails=Counter({messages[2].item.mailbox: 1}),
        mailed=frozenset({"crash-x-3"}),
        audits={"tenant-a": Chain(IDS)},
        archive=dict.fromkeys(IDS, ("delivered", PRICE)),
        differing=frozenset(),
        lags={GROUP: 0},
        recoveries={1: ("kill pipeline", 2_500)},
    )


def changed(**values: Any) -> Books:
    """The good books with other values."""
    return replace(good(), **values)
