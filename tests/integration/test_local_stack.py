"""The embedded Kafka and PostgreSQL: what was accepted is there after kill -9, on the same ports."""

import asyncio
import os
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from deploy.local.errors import ServerFailedError
from deploy.local.events import Event
from deploy.local.kafka import KafkaBroker
from deploy.local.postgres import Postgres
from deploy.local.supervisor import Supervisor
from deploy.local.watch import Entry
from tests.conftest import Stack

pytestmark = pytest.mark.integration

READY_MS = 60_000
STOP_MS = 8_000
WAIT_S = 20.0


@pytest.fixture
def state_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hermes-local-") as folder:
        yield Path(folder)


async def query(dsn: str, sql: str) -> object:
    async with asyncio.timeout(WAIT_S):
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, value)
    assert producer.flush(WAIT_S) == 0


def consume_first(bootstrap: str, topic: str) -> bytes | None:
    group = {"group.id": topic, "group.protocol": "consumer", "auto.offset.reset": "earliest"}
    consumer = Consumer({"bootstrap.servers": bootstrap, **group})
    try:
        consumer.subscribe([topic])
        record = consumer.poll(WAIT_S)
        assert record is not None
        assert record.error() is None
        return record.value()
    finally:
        consumer.close()


def create_topic(bootstrap: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])[topic].result(WAIT_S)


def killed(server: KafkaBroker | Postgres) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop(STOP_MS)
    assert server.poll() == -signal.SIGKILL


def test_kafka_keeps_what_it_acknowledged_through_kill_and_comes_back_on_its_port(state_dir: Path) -> None:
    broker = KafkaBroker(state_dir)
    try:
        broker.start()
        broker.wait_ready(READY_MS)
        bootstrap = broker.bootstrap
        create_topic(bootstrap, "kept")
        produce(bootstrap, "kept", b"accepted")

        killed(broker)
        broker.start()
        broker.wait_ready(READY_MS)
        assert broker.bootstrap == bootstrap
        assert consume_first(bootstrap, "kept") == b"accepted"

        broker.stop(STOP_MS)
        again = KafkaBroker(state_dir)
        assert again.bootstrap == bootstrap
    finally:
        broker.stop(0)


def test_postgres_keeps_what_it_committed_through_kill_and_comes_back_on_its_port(state_dir: Path) -> None:
    server = Postgres(state_dir)
    try:
        server.start()
        server.wait_ready(READY_MS)
        dsn = server.dsn
        asyncio.run(query(dsn, "CREATE TABLE kept AS SELECT 'accepted' AS what"))

        killed(server)
        # the pid of the dead postmaster may belong to a stranger by now: this test stands for it
        lock_file = state_dir / "postgres" / "data" / "postmaster.pid"
        lines = lock_file.read_text(encoding="utf-8").split("\n")
        lock_file.write_text("\n".join([str(os.getpid()), *lines[1:]]), encoding="utf-8")
        server.start()
        server.wait_ready(READY_MS)

        assert server.dsn == dsn
        assert asyncio.run(query(dsn, "SELECT what FROM kept")) == "accepted"
    finally:
        server.stop(STOP_MS)
    assert server.poll() == 0
    assert Postgres(state_dir).dsn == dsn


def test_postgres_wants_its_password_and_keeps_it_private(state_dir: Path) -> None:
    server = Postgres(state_dir)
    with pytest.raises(ServerFailedError, match="no password before"):
        _ = server.dsn
    try:
        server.start()
        server.wait_ready(READY_MS)
        password = (state_dir / "postgres" / "password").read_text(encoding="ascii")
        assert (state_dir / "postgres" / "password").stat().st_mode & 0o777 == 0o600
        with pytest.raises(asyncpg.InvalidPasswordError):
            asyncio.run(query(server.dsn.replace(password, "guess"), "SELECT 1"))
        assert password not in (state_dir / "logs" / "postgres.log").read_text(encoding="utf-8")
    finally:
        server.stop(STOP_MS)


def test_a_supervisor_brings_a_killed_database_back_and_leaves_its_dependent_alone(state_dir: Path) -> None:
    server, second = Postgres(state_dir), Postgres(state_dir / "second")
    events: list[Event] = []
    entries = (
        Entry("postgres", lambda: server, ready=server.is_ready),
        Entry("second", lambda: second, after=("postgres",), ready=second.is_ready),
    )
    supervisor = Supervisor(entries, events.append)
    supervisor.start(READY_MS)
    try:
        before = supervisor.pids()
        os.kill(before["postgres"], signal.SIGKILL)
        while not any(event.kind == "exited" for event in events):
            supervisor.step()
        supervisor.start(READY_MS)

        after = supervisor.pids()
        assert after["second"] == before["second"]
        assert after["postgres"] != before["postgres"]
        assert asyncio.run(query(server.dsn, "SELECT 1")) == 1
    finally:
        supervisor.stop()
    assert supervisor.pids() == {}
    assert [event.name for event in events if event.kind == "stopped"] == ["second", "postgres"]


async def test_the_session_stack_serves_both(stack: Stack) -> None:
    topic = f"stack-{uuid.uuid4()}"
    create_topic(stack.bootstrap, topic)
    produce(stack.bootstrap, topic, b"hello")
    assert consume_first(stack.bootstrap, topic) == b"hello"
    assert await query(stack.dsn, "SELECT current_database()") == "hermes"
