"""The checkers of the simulation catch what they are there for: each promise is broken by hand, once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.audit.chain import AuditEntry
from domain.billing.money import LedgerEntry
from domain.cascade.events import AttemptSent
from domain.cascade.rule import Step
from domain.verdict import Reject
from schemas.topics import AUDIT, CASCADE, DLQ, LEDGER, STATUS, SUBMISSIONS, VERDICTS, WEBHOOKS, Topic
from streams.sim.egress import Behaviour
from streams.sim.lane import CODEC, HOUR_MS, MINUTE_MS, SMALL, SMALL_GRANTED_MICROS, SMALL_KEY, TENANT
from streams.sim.processes import Product
from streams.sim.promises.broken import BrokenPromiseError
from streams.sim.promises.check import broken, check
from streams.sim.promises.seen import look
from streams.sim.world import World
from tables.catalogue import ACCOUNTS, CASCADE_ROWS

REFUSED, DEAD, NOTICED = "msg-000005", "msg-000004", "msg-000006"


@pytest.fixture
def world() -> World:
    """Three messages that ended well, one that reached nobody, one that was refused, and one with a callback."""
    found = World(behave=lambda due: Behaviour(fail="5.1.1") if due.message_id == DEAD else Behaviour())
    found.configure(SMALL)
    found.configure(SMALL_KEY)
    found.grant(SMALL.tenant_id, SMALL_GRANTED_MICROS)
    found.advance(1)
    for _ in range(4):
        found.submit(Step("sms", MINUTE_MS), key=f"key-{len(found.asked)}")
    found.submit(Step("sms", MINUTE_MS), key_id="k-unknown", key="key-5")
    found.submit(Step("email", MINUTE_MS), tenant_id=SMALL.tenant_id, key_id=SMALL_KEY.key_id)
    found.advance(10 * MINUTE_MS)
    check(found)
    return found


def entries(world: World, topic: Topic) -> list[tuple[list[Any], int, Any]]:
    """Every record of a topic: its log, its place there, its value."""
    return [
        (log, place, CODEC.decode(record.value))
        for (name, _), log in world.broker.logs.items()
        if name == topic.name
        for place, record in enumerate(log)
        if record.value is not None
    ]


def rewrite(found: tuple[list[Any], int, Any], value: Any) -> None:
    log, place, _ = found
    log[place] = log[place]._replace(value=CODEC.encode(value))


def remove(found: tuple[list[Any], int, Any]) -> None:
    del found[0][found[1]]


def of(world: World, topic: Topic, message_id: str) -> tuple[list[Any], int, Any]:
    """The last record of a message on a topic."""
    return [e for e in entries(world, topic) if getattr(e[2], "message_id", "") == message_id][-1]


def row(world: World, table: Any, key: str, **changes: Any) -> None:
    """Change a row behind the product's back."""
    for partition in world.driver.engine.partitions.values():
        known = partition.get(table, key)
        if known is not None:
            partition.put(table, key, replace(known, **changes), 1_000)


def doubled_account(world: World) -> None:
    row(world, ACCOUNTS, TENANT.tenant_id, available_micros=1)


def kept_otherwise(world: World) -> None:
    row(world, CASCADE_ROWS, "msg-000001", reference="another")


def lost_final(world: World) -> None:
    for found in reversed([e for e in entries(world, STATUS) if e[2].message_id == "msg-000001" and e[2].final]):
        remove(found)


def second_final(world: World) -> None:
    final = of(world, STATUS, "msg-000001")[2]
    octets = CODEC.encode(replace(CODEC.decode(final.cascade), state="exhausted"))
    world.put(STATUS, final.message_id, replace(final, final=True, cascade=octets))


def told_otherwise(world: World) -> None:
    found = of(world, STATUS, "msg-000001")
    octets = CODEC.encode(replace(CODEC.decode(found[2].cascade), reference="another"))
    rewrite(found, replace(found[2], cascade=octets))


def late_end(world: World) -> None:
    for log, place, value in entries(world, STATUS):
        if value.message_id == "msg-000001" and value.final:
            log[place] = log[place]._replace(at_ms=log[place].at_ms + 48 * HOUR_MS)


def second_settlement(world: World) -> None:
    entry = of(world, LEDGER, "msg-000001")[2]
    assert isinstance(entry, LedgerEntry)
    world.put(LEDGER, entry.tenant_id, replace(entry, entry_id="resolve:again", seq=entry.seq + 100))


def entry_that_says_two_things(world: World) -> None:
    entry = of(world, LEDGER, "msg-000001")[2]
    world.put(LEDGER, entry.tenant_id, replace(entry, spent_micros=entry.spent_micros + 1))


def lost_entry(world: World) -> None:
    remove(next(e for e in entries(world, LEDGER) if e[2].kind == "reserve"))


def doubled_number(world: World) -> None:
    reserves = [e for e in entries(world, LEDGER) if e[2].kind == "reserve" and e[2].tenant_id == TENANT.tenant_id]
    rewrite(reserves[1], replace(reserves[1][2], seq=reserves[0][2].seq))


def sent_twice(world: World) -> None:
    world.egress.taken["msg-000001", 1] += 1


def sent_by_itself(world: World) -> None:
    world.egress.taken["msg-000001", 7] += 1


def sent_though_refused(world: World) -> None:
    world.egress.taken[REFUSED, 1] += 1


def event_that_nobody_followed(world: World) -> None:
    sent = next(
        e[2] for e in entries(world, CASCADE) if isinstance(e[2], AttemptSent) and e[2].message_id == DEAD[:-1] + "1"
    )
    log = next(e[0] for e in entries(world, CASCADE) if e[2] == sent)
    log.append(
        log[-1]._replace(value=CODEC.encode(replace(sent, attempt=1, provider_ids=(), detail="x", unknown=True)))
    )
    rewrite(
        (log, next(n for n, r in enumerate(log) if CODEC.decode(r.value) == sent), sent), replace(sent, detail="other")
    )


def no_answer(world: World) -> None:
    remove(of(world, VERDICTS, "msg-000001"))


def two_answers(world: World) -> None:
    verdict = of(world, VERDICTS, "msg-000001")[2]
    world.put(VERDICTS, "0", replace(verdict, reject=Reject(2, "tenant_suspended", "")), 0)


def key_of_two(world: World) -> None:
    world.asked[1] = replace(world.asked[1], idempotency_key=world.asked[0].idempotency_key)


def answer_of_another_body(world: World) -> None:
    world.submit(Step("sms", MINUTE_MS), key="key-0")
    world.advance(1_000)
    world.asked[-1] = replace(world.asked[-1], fingerprint=b"other")


def refusal_that_moved_money(world: World) -> None:
    found = of(world, LEDGER, "msg-000001")
    rewrite(found, replace(found[2], message_id=REFUSED))


def refusal_in_the_audit(world: World) -> None:
    found = of(world, AUDIT, "msg-000003")
    rewrite(found, replace(found[2], message_id=REFUSED))


def not_on_the_dead_letter_queue(world: World) -> None:
    remove(of(world, DLQ, DEAD))


def delivered_on_the_dead_letter_queue(world: World) -> None:
    dead = of(world, DLQ, DEAD)[2]
    world.put(DLQ, TENANT.tenant_id, replace(dead, message_id="msg-000001"))


def callback_not_made(world: World) -> None:
    remove(of(world, WEBHOOKS, NOTICED))


def callback_that_says_two_things(world: World) -> None:
    due = of(world, WEBHOOKS, NOTICED)[2]
    world.put(WEBHOOKS, SMALL.tenant_id, replace(due, payload="{}"))


def unreadable_record_passed_over(world: World) -> None:
    world.put_poison(SUBMISSIONS, TENANT.tenant_id)


def chained_entry_removed(world: World) -> None:
    remove(of(world, AUDIT, "msg-000001"))


def chained_entry_rewritten(world: World) -> None:
    found = of(world, AUDIT, "msg-000002")
    assert isinstance(found[2], AuditEntry)
    rewrite(found, replace(found[2], recipient_hash="0" * 32))


def number_of_two_chained_entries(world: World) -> None:
    found = of(world, AUDIT, "msg-000002")
    rewrite(found, replace(found[2], seq=1))


@pytest.mark.parametrize(
    ("breach", "sentence"),
    [
        (doubled_account, "does not add up"),
        (kept_otherwise, "is kept of it instead"),
        (lost_final, "was not told"),
        (second_final, "was told and never was"),
        (told_otherwise, "was told and never was"),
        (late_end, "after its longest duration"),
        (second_settlement, "its entries come to"),
        (entry_that_says_two_things, "its entries come to"),
        (lost_entry, "its entries come to"),
        (doubled_number, "are numbered"),
        (sent_twice, "submitted 2 times"),
        (sent_by_itself, "does not know it"),
        (sent_though_refused, "was refused and was sent"),
        (event_that_nobody_followed, "was told and never was"),
        (no_answer, "nobody was told"),
        (two_answers, "answered in two ways"),
        (key_of_two, "made 2 messages"),
        (answer_of_another_body, "has another body"),
        (refusal_that_moved_money, "refused and moved money"),
        (refusal_in_the_audit, "refused before the audit"),
        (not_on_the_dead_letter_queue, "is not on the dead-letter queue"),
        (delivered_on_the_dead_letter_queue, "is on the dead-letter queue"),
        (callback_not_made, "the callbacks say []"),
        (callback_that_says_two_things, "says two things"),
        (unreadable_record_passed_over, "could not be read and 0 are kept"),
        (chained_entry_removed, "the audit chain of t-acme breaks at 1"),
        (chained_entry_rewritten, "the audit chain of t-acme breaks at 2"),
        (number_of_two_chained_entries, "have the number 1"),
    ],
    ids=lambda one: one.__name__ if callable(one) else "",
)  # fmt: skip
def test_a_broken_promise_is_caught(world: World, breach: Callable[[World], None], sentence: str) -> None:
    breach(world)
    with pytest.raises(BrokenPromiseError):
        check(world)
    assert any(sentence in one.sentence for one in broken(look(world)))


def test_a_message_that_is_never_forgotten_is_caught() -> None:
    world = World(product=Product())
    world.submit(Step("sms", MINUTE_MS))
    world.advance(10 * MINUTE_MS)
    world.broker.now_ms += 2 * HOUR_MS
    with pytest.raises(BrokenPromiseError, match="still has a row"):
        check(world)
