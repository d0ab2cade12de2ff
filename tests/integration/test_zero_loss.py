"""Zero loss: while every process is killed in its turn, each accepted message ends once, is sent once, is charged once."""

import asyncio
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition

from domain.audit.chain import GENESIS, AuditEntry, is_next
from egress.archive.ledger import LedgerCheck, verify
from egress.archive.reader import PostgresArchive
from ingress.http.views import cascade_view
from schemas.catalogue import codec
from schemas.sql.pool import open_pool
from schemas.topics import AUDIT
from tests.integration.crash_load import KINDS, SENDERS, Item, Load
from tests.integration.outside import until
from tests.integration.product import FINAL, Client, Product

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

MESSAGES = 2_000
VICTIMS = ("pipeline", "egress", "gateway", "kafka", "archive")
PACE_S = 0.03
END_WITHIN_S = 40.0
SAMPLE = 100
ENDS = {"good": "delivered", "bounce": "delivered", "silent": "exhausted", "bad": "exhausted"}


def items() -> list[Item]:
    """Mostly good numbers; of every ten one bounces first, one gets no receipt, one cannot be delivered, one is no number."""
    kinds = ("good",) * 6 + KINDS[1:]
    return [Item(f"zl-{n:05d}", kinds[n % len(kinds)]) for n in range(MESSAGES)]


def kill_all(product: Product, load: Load) -> None:
    """Each victim dies when its share of the load is done, and everything is back before the next dies."""
    for turn, victim in enumerate(VICTIMS, 1):
        share = turn * MESSAGES // (len(VICTIMS) + 1)
        load.wait_for(share)
        product.kill(victim)


def states(client: Client, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Every message, once it is final."""
    found: dict[str, dict[str, Any]] = {}

    def look(message_id: str) -> None:
        answer = client.call("GET", f"/v1/messages/{message_id}")
        if answer.status == 200 and answer.json["status"]["state"] in FINAL:
            found[message_id] = answer.json

    deadline = time.monotonic() + END_WITHIN_S
    with ThreadPoolExecutor(SENDERS) as pool:
        while rest := [i for i in ids if i not in found]:
            assert time.monotonic() < deadline, [client.show(i) for i in rest[:3]]
            list(pool.map(look, rest))
    return found


def submitted(product: Product) -> Counter[str]:
    """How often the carrier took each tag."""
    lines = Path(product.ready["sandbox"]["carrier_book"]).read_text().splitlines()
    texts = (json.loads(line)["text"] for line in lines)
    return Counter(text for text in texts if text.startswith("zl-"))


def audit_entries(product: Product, tenant_id: str) -> list[AuditEntry]:
    """All entries of a tenant on the topic, repetitions left out."""
    records = codec()
    reader = Consumer({
        "bootstrap.servers": product.ready["kafka"], "group.id": "looks", "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    })  # fmt: skip
    try:
        places = list(reader.list_topics(AUDIT.name, timeout=10).topics[AUDIT.name].partitions)
        ends = {n: reader.get_watermark_offsets(TopicPartition(AUDIT.name, n), timeout=10)[1] for n in places}
        reader.assign([TopicPartition(AUDIT.name, n, 0) for n in places])
        left, found = sum(ends.values()), dict[int, AuditEntry]()
        deadline = time.monotonic() + 20
        while left and time.monotonic() < deadline:
            for message in reader.consume(5_000, 0.2):
                assert message.error() is None
                left -= 1
                entry = records.decode(message.value() or b"")
                if entry.tenant_id == tenant_id:
                    assert found.setdefault(entry.seq, entry) == entry
        assert not left
    finally:
        reader.close()
    return [found[seq] for seq in sorted(found)]


async def archived_ids(dsn: str, tenant_id: str) -> dict[str, str]:
    """The state of every message of a tenant in the archive."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("select message_id, state from messages where tenant_id = $1", tenant_id)
    finally:
        await connection.close()
    return {row["message_id"]: row["state"] for row in rows}


async def from_archive(product: Product, tenant_id: str, ids: list[str]) -> list[dict[str, Any]]:
    """Messages as the archive would answer for them."""
    async with open_pool(product.ready["postgres"], 2) as pool:
        archive = PostgresArchive(pool, codec())
        rows = [await archive.message(tenant_id, message_id) for message_id in ids]
    public_url = f"http://{product.ready['http']}"
    return [orjson.loads(orjson.dumps(cascade_view(row, public_url, "EUR"))) for row in rows if row is not None]


async def ledger(dsn: str, tenant_id: str) -> LedgerCheck:
    (found,) = await verify(dsn, tenant_id)
    return found


def test_nothing_is_lost_doubled_or_charged_twice_while_every_process_is_killed(product: Product) -> None:
    client, tenant_id = product.client("Crash"), product.tenant("Crash")["tenant_id"]
    dsn, wanted, load = product.ready["postgres"], items(), Load(client)
    sending = threading.Thread(target=load.run, args=(wanted, PACE_S))
    sending.start()
    try:
        kill_all(product, load)
    finally:
        sending.join(90)
    assert not sending.is_alive()

    # everything has its answer, and what was accepted has one end, the right one
    kinds = {item.tag: item.kind for item in wanted}
    assert set(load.refused) == {tag for tag, kind in kinds.items() if kind == "refused"}
    assert set(load.refused.values()) == {"validation_failed"}
    assert set(load.accepted) | set(load.refused) == set(kinds)
    assert len(set(load.accepted.values())) == len(load.accepted)
    found = states(client, list(load.accepted.values()))
    unknown = Counter(e["message_id"] for e in product.log("egress") if e["event"] == "attempt_unknown")
    wrong = {
        tag: found[message_id]
        for tag, message_id in load.accepted.items()
        if found[message_id]["status"]["state"] != ENDS[kinds[tag]] and not unknown[message_id]
    }
    assert not wrong, (len(wrong), next(iter(wrong.values())))

    # the carrier got each once, but for those of which the egress says that it could not know
    book = submitted(product)
    for tag, message_id in load.accepted.items():
        taken = any(attempt["provider_message_ids"] for attempt in found[message_id]["attempts"])
        # a step may run out while its egress is away: then it was not sent at all
        assert taken <= book[tag] <= 1 + unknown[message_id], (tag, book[tag], unknown[message_id], found[message_id])
    assert not set(book) - set(load.accepted)

    # the money adds up
    charged = sum(m["price"]["amount_micros"] for m in found.values())
    balance = client.call("GET", "/v1/tenants/me").json["balance"]
    assert (balance["reserved_micros"], balance["spent_micros"]) == (0, charged)
    until(lambda: asyncio.run(ledger(dsn, tenant_id)).available_micros == balance["available_micros"])
    checked = asyncio.run(ledger(dsn, tenant_id))
    assert checked.sound, checked
    assert (checked.reserved_micros, checked.spent_micros) == (0, charged)

    # the archive says the same, and has nothing else
    expected = {message_id: found[message_id]["status"]["state"] for message_id in load.accepted.values()}
    until(lambda: asyncio.run(archived_ids(dsn, tenant_id)) == expected)
    sample = sorted(expected)[:: len(expected) // SAMPLE]
    for kept in asyncio.run(from_archive(product, tenant_id, sample)):
        assert kept == client.show(kept["message_id"])

    # the audit chain is whole
    entries, previous = audit_entries(product, tenant_id), GENESIS
    for seq, entry in enumerate(entries, 1):
        assert is_next(entry, previous, seq)
        previous = entry.hash
    assert {entry.message_id for entry in entries} == set(expected)
