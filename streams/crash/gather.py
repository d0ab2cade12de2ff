"""Asks everybody at the end of a campaign: the API, the topics, PostgreSQL, the peers' books."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson

from egress.archive.ledger import LedgerCheck, verify
from egress.archive.reader import PostgresArchive
from ingress.http.views import cascade_view
from schemas.catalogue import codec
from schemas.sql.pool import open_pool
from streams.crash import topics
from streams.crash.books import Books, View
from streams.crash.history import History
from streams.crash.rest import Rest
from streams.crash.strike import Struck
from streams.demo.api import Json
from streams.demo.money import PARTS

AT_ONCE: Final = 20
SAMPLE: Final = 400
"""Messages that are read from the archive as a client would read them; of all others state and price are compared."""
POSTGRES_TIMEOUT_S: Final = 120.0
VIEWS_WITHIN_S: Final = 900.0
FIRST_ANSWER_S: Final = 60.0
CAUGHT_UP_WITHIN_S: Final = 40.0
LOOK_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Sources:
    """Where to ask.

    `document` is the ready file, `tenants` the tenants' ids in the order of the items, `prefix` what every tag begins with.
    """

    document: Mapping[str, Any]
    tenants: tuple[str, ...]
    rest: Rest
    history: History
    prefix: str
    dsn: str = field(repr=False)

    @property
    def bootstrap(self) -> str:
        """Kafka."""
        return str(self.document["kafka"])


async def gather(sources: Sources, struck: Sequence[Struck], unknown: Counter[str]) -> Books:
    """The books; aiohttp's, asyncpg's and Kafka's errors when somebody does not answer, TimeoutError when it takes too long."""
    history, tenants, dsn = sources.history, sources.tenants, sources.dsn
    async with asyncio.timeout(FIRST_ANSWER_S):  # is anybody there?
        await sources.rest.insist(0, "GET", "/v1/tenants/me")
    shown = await _shown(sources)
    await caught_up(sources.bootstrap)
    seen, finals = await asyncio.to_thread(topics.statuses, sources.bootstrap, frozenset(tenants))
    audits = await asyncio.to_thread(topics.chains, sources.bootstrap, tenants)
    ledgers: dict[str, LedgerCheck] = {}
    for tenant in tenants:
        ledgers.update({found.tenant_id: found for found in await verify(dsn, tenant)})
    entries, archive = await _rows(dsn, tenants)
    differing = await _differing(sources, shown)
    accounts = {tenant: await _account(sources.rest, place) for place, tenant in enumerate(tenants)}
    carrier = carrier_ids(Path(sources.document["sandbox"]["carrier_book"]), sources.prefix)
    mails = mail_counts(Path(sources.document["sandbox"]["mx_book"]), sources.prefix)
    mentioned = {
        "the status topic": seen,
        "the ledger": frozenset(entries),
        "the audit chain": frozenset().union(*(chain.messages for chain in audits.values())),
        "the archive": frozenset(archive),
        "callbacks": frozenset(history.callbacks),
    }
    return Books(
        tenants=tenants, told=history.told, callbacks=history.callbacks, receipts=history.receipts,
        views={message_id: view_of(one) for message_id, one in shown.items()}, finals=finals, mentioned=mentioned,
        accounts=accounts, ledgers=ledgers, entries=entries, carrier=carrier, mails=mails,
        mailed=tags_of(mails), audits=audits, archive=archive, differing=differing,
        lags=await caught_up(sources.bootstrap),
        recoveries={number: (one.blow.name, one.recovered_ms) for number, one in enumerate(struck, 1)},
        windows=tuple((one.began_ms, one.ended_ms) for one in struck), unknown=unknown,
    )  # fmt: skip


async def caught_up(bootstrap: str) -> dict[str, int]:
    """How far behind each group is, once none is, or some time later."""
    deadline = asyncio.get_running_loop().time() + CAUGHT_UP_WITHIN_S
    while True:
        found = await asyncio.to_thread(topics.lags, bootstrap)
        if not any(found.values()) or asyncio.get_running_loop().time() >= deadline:
            return found
        await asyncio.sleep(LOOK_AGAIN_S)


def view_of(shown: Json) -> View:
    """A message as the API shows it."""
    attempts = shown["attempts"]
    return View(
        state=str(shown["status"]["state"]),
        charged_micros=int(shown["price"]["amount_micros"]),
        provider_ids=frozenset(i for one in attempts if one["channel"] == "sms" for i in one["provider_message_ids"]),
        mails=sum(one["channel"] == "email" and _went_out(one) for one in attempts),
        created_ms=_ms(shown["created_at"]),
        updated_ms=_ms(shown["updated_at"]),
    )


def carrier_ids(book: Path, prefix: str) -> dict[str, frozenset[str]]:
    """The ids that the carrier gave, by the text that it took, of texts that begin so."""
    found = defaultdict[str, set[str]](set)
    for line in _lines(book):
        if str(line["text"]).startswith(prefix):
            found[str(line["text"])].add(str(line["id"]))
    return {text: frozenset(ids) for text, ids in found.items()}


def mail_counts(book: Path, prefix: str) -> Counter[str]:
    """How many mails the host took, by the mailbox, of mailboxes with such a label."""
    return Counter(str(line["recipient"]) for line in _lines(book) if f"+{prefix}" in str(line["recipient"]))


def tags_of(mailboxes: Iterable[str]) -> frozenset[str]:
    """The labels of mailboxes."""
    return frozenset(mailbox.partition("@")[0].partition("+")[2] for mailbox in mailboxes)


async def _shown(sources: Sources) -> dict[str, Json]:
    """Every accepted message as the API shows it."""
    gate, found = asyncio.Semaphore(AT_ONCE), dict[str, Json]()

    async def look(message_id: str, tenant: int) -> None:
        async with gate:
            answer = await sources.rest.insist(tenant, "GET", f"/v1/messages/{message_id}")
        if answer.status == 200:
            found[message_id] = answer.body

    async with asyncio.timeout(VIEWS_WITHIN_S), asyncio.TaskGroup() as tasks:
        for message_id, told in sources.history.ids.items():
            tasks.create_task(look(message_id, told.item.tenant))
    return found


async def _account(rest: Rest, tenant: int) -> dict[str, int]:
    async with asyncio.timeout(POSTGRES_TIMEOUT_S):
        answer = await rest.insist(tenant, "GET", "/v1/tenants/me")
    told: Json = answer.body.get("balance", {})
    return {part: int(told[f"{part}_micros"]) for part in PARTS if f"{part}_micros" in told}


async def _rows(dsn: str, tenants: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, int]]]:
    """The kinds of each message's ledger entries, and its state and price in the archive."""
    async with asyncio.timeout(POSTGRES_TIMEOUT_S):
        connection = await asyncpg.connect(dsn)
        try:
            entries = await connection.fetch(_ENTRIES, list(tenants))
            messages = await connection.fetch(_MESSAGES, list(tenants))
        finally:
            await connection.close()
    return (
        {row["message_id"]: tuple(row["kinds"]) for row in entries},
        {row["message_id"]: (row["state"], row["charged_micros"]) for row in messages},
    )


async def _differing(sources: Sources, shown: Mapping[str, Json]) -> frozenset[str]:
    """Of a sample the messages that the archive would show otherwise."""
    ids, found = sorted(shown), set[str]()
    step = max(len(ids) // SAMPLE, 1)
    async with asyncio.timeout(POSTGRES_TIMEOUT_S), open_pool(sources.dsn, 2) as pool:
        archive = PostgresArchive(pool, codec())
        for message_id in ids[::step]:
            row = await archive.message(str(shown[message_id]["tenant_id"]), message_id)
            if row is not None:
                currency = str(shown[message_id]["price"].get("currency", ""))
                kept = orjson.loads(orjson.dumps(cascade_view(row, f"http://{sources.document['http']}", currency)))
                if kept != shown[message_id]:
                    found.add(message_id)
    return frozenset(found)


def _went_out(attempt: Json) -> bool:
    return bool(attempt["provider_message_ids"]) or attempt["status"]["state"] == "delivered"


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def _lines(book: Path) -> list[Json]:
    """The whole lines of a peer's book."""
    octets = book.read_bytes() if book.exists() else b""
    return [json.loads(line) for line in octets[: octets.rfind(b"\n") + 1].splitlines()]


_ENTRIES: Final = """
select message_id, array_agg(kind order by kind) as kinds from ledger_entries
where tenant_id = any($1) and message_id <> '' group by message_id
"""
_MESSAGES: Final = "select message_id, state, charged_micros from messages where tenant_id = any($1)"
