"""The outbox against a real PostgreSQL: nothing committed is lost, the order stays."""

import asyncio
from typing import Any

import pytest

from domain.errors import TransientError
from ingress.outbox import OutboxRelay, enqueue
from tests.integration.database.conftest import Broker, eventually

pytestmark = pytest.mark.integration


async def commit(pool: Any, *changes: tuple[str, bytes | None]) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await enqueue(connection, changes)


async def test_what_a_process_committed_before_it_died_is_published_by_the_next(pool: Any) -> None:
    await commit(pool, ("a", b"1"), ("b", None))
    broker, stop = Broker(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(OutboxRelay(pool, broker.publish).run(stop))
        await eventually(lambda: pool.fetchval("select count(*) = 2 from config_outbox where published_at is not null"))
        stop.set()
    assert broker.records == [("a", b"1"), ("b", None)]


async def test_a_death_between_publishing_and_marking_publishes_again_in_order(pool: Any) -> None:
    await commit(pool, ("a", b"1"), ("a", b"2"), ("a", b"3"))
    broker = Broker()

    async def die_at_third(key: str, value: bytes | None) -> None:
        if value == b"3":
            raise TransientError("the connection broke", 1)
        await broker.publish(key, value)

    with pytest.raises(TransientError):
        await OutboxRelay(pool, die_at_third).flush()
    assert await OutboxRelay(pool, broker.publish).flush() == 3
    assert [value for _, value in broker.records] == [b"1", b"2", b"1", b"2", b"3"]


async def test_several_relays_publish_each_record_once_and_in_order(pool: Any) -> None:
    broker = Broker()
    relays = [OutboxRelay(pool, broker.publish) for _ in range(3)]

    async def change(n: int) -> None:
        await commit(pool, ("k", str(n).encode()))
        await relays[n % 3].flush()

    await asyncio.gather(*(change(n) for n in range(30)))
    rows = await pool.fetch("select value from config_outbox order by id")
    assert [value for _, value in broker.records] == [row["value"] for row in rows]


async def test_a_broker_that_does_not_answer_is_a_transient_error_and_frees_the_lock(pool: Any) -> None:
    await commit(pool, ("a", b"1"))

    async def hang(_key: str, _value: bytes | None) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TransientError):
        await OutboxRelay(pool, hang).flush(100)
    assert await OutboxRelay(pool, Broker().publish).flush() == 1


async def test_everything_can_be_published_again_with_the_newest_of_each_key(pool: Any) -> None:
    await commit(pool, ("a", b"1"), ("b", b"1"), ("a", b"2"), ("c", b"1"), ("b", None))
    relay = OutboxRelay(pool, Broker().publish)
    await relay.flush()
    broker = Broker()
    assert await OutboxRelay(pool, broker.publish).republish_all() == 3
    assert broker.records == [("a", b"2"), ("c", b"1"), ("b", None)]
