"""Insight on real Kafka: it counts, answers, stops, restores, and neither loses nor doubles what it counted."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from domain.cascade.events import TimerFired
from schemas.catalogue import codec
from schemas.rows import DeadRecord, UsageCounted
from schemas.topics import DEADLETTERS, USAGE
from tests.conftest import Stack

pytestmark = pytest.mark.integration

CODEC = codec()
PARTITIONS = 4
WAIT_S = 40.0
STOP_S = 6.0
ROOT = Path(__file__).parents[2]


@dataclass
class Process:
    """One insight process."""

    child: subprocess.Popen[bytes]
    port: int

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def counts(self, tenant: str) -> dict[str, int]:
        status, told = self.get(f"/v1/insight/usage?tenant={tenant}&minutes=60")
        totals: dict[str, int] = {}
        for row in told["rows"] if status == 200 else ():
            assert row["tenant_id"] == tenant
            assert row["minute"] % 60_000 == 0
            name = f"{row['channel']}.{row['state']}"
            totals[name] = totals.get(name, 0) + row["count"]
        return totals

    def wait_counts(self, tenant: str, wanted: dict[str, int]) -> None:
        deadline = time.monotonic() + WAIT_S
        while (found := self.counts(tenant)) != wanted:
            assert time.monotonic() < deadline, f"{found}, not {wanted}"
            time.sleep(0.05)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + WAIT_S
        while self.get("/healthz")[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def end(self, how: signal.Signals) -> int:
        self.child.send_signal(how)
        return self.child.wait(STOP_S)


@dataclass
class Lane:
    """The broker, the topics, and the processes of one test."""

    bootstrap: str
    folder: Path
    prefix: str
    children: list[subprocess.Popen[bytes]]

    def start(self, codec: str = "sound") -> Process:
        child = subprocess.Popen(  # noqa: S603 - the test's own command
            (
                sys.executable, "-m", "tests.integration.insight_process", self.bootstrap, str(self.folder),
                str(PARTITIONS), self.prefix, codec,
            ),
            stdout=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        self.children.append(child)
        assert child.stdout is not None
        return Process(child, json.loads(child.stdout.readline())["port"])

    def batches(self, tenant: str, count: int) -> None:
        """What the pipeline tells of `count` batches: in each, three messages came and two of them were delivered."""
        minute_ms = time.time_ns() // 1_000_000 // 60_000 * 60_000
        told = UsageCounted(tenant, minute_ms, {"sms.accepted": 3, "sms.delivered": 2})
        self.produce(tenant, *[CODEC.encode(told)] * count)

    def produce(self, key: str, *values: bytes) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5})
        for value in values:
            producer.produce(self.prefix + USAGE.name, value, key=key.encode())
        assert producer.flush(10) == 0


@pytest.fixture
def lane(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lane]:
    admin = AdminClient({"bootstrap.servers": stack.bootstrap})
    prefix = f"{request.node.name[:30]}-{os.getpid()}-"
    wanted = [NewTopic(prefix + USAGE.name, PARTITIONS, 1), NewTopic(prefix + DEADLETTERS.name, 1, 1)]
    for made in admin.create_topics(wanted).values():
        made.result(10)
    lane = Lane(stack.bootstrap, tmp_path, prefix, [])
    yield lane
    for child in lane.children:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


def test_counts_survive_a_stop_and_a_kill_and_are_neither_lost_nor_doubled(lane: Lane) -> None:
    lane.batches("t-a", 40)
    lane.batches("t-b", 7)
    first = lane.start()
    first.wait_counts("t-a", {"sms.accepted": 120, "sms.delivered": 80})
    first.wait_counts("t-b", {"sms.accepted": 21, "sms.delivered": 14})
    assert first.end(signal.SIGTERM) == 0

    second = lane.start()
    second.wait_ready()
    assert second.counts("t-a") == {"sms.accepted": 120, "sms.delivered": 80}
    lane.batches("t-a", 30)
    second.wait_counts("t-a", {"sms.accepted": 210, "sms.delivered": 140})
    second.end(signal.SIGKILL)

    lane.batches("t-a", 10)
    third = lane.start()
    third.wait_counts("t-a", {"sms.accepted": 240, "sms.delivered": 160})
    assert third.counts("t-b") == {"sms.accepted": 21, "sms.delivered": 14}
    assert third.end(signal.SIGTERM) == 0


def test_the_changelog_is_made_compacted_with_the_partitions_of_the_usage_topic(lane: Lane) -> None:
    process = lane.start()
    process.wait_ready()
    name = f"{lane.prefix}hermes-insight-usage-changelog"
    admin = AdminClient({"bootstrap.servers": lane.bootstrap})
    assert len(admin.list_topics(name, timeout=10).topics[name].partitions) == PARTITIONS
    resource = ConfigResource(ResourceType.TOPIC, name)
    config = admin.describe_configs([resource])[resource].result(10)
    assert set(config["cleanup.policy"].value.split(",")) == {"compact", "delete"}
    assert process.end(signal.SIGTERM) == 0


def test_a_record_that_nobody_can_read_goes_to_the_dead_letters_and_counting_goes_on(lane: Lane) -> None:
    other = CODEC.encode(TimerFired("m", 1, 0))
    lane.produce("t-c", b"junk", other)
    lane.batches("t-c", 5)
    process = lane.start()
    process.wait_counts("t-c", {"sms.accepted": 15, "sms.delivered": 10})
    assert process.end(signal.SIGTERM) == 0
    wanted = {
        (lane.prefix + USAGE.name, b"t-c", b"junk", "not in the Confluent wire format"),
        (lane.prefix + USAGE.name, b"t-c", other, "TimerFired, not UsageCounted"),
    }
    found: set[tuple[str, bytes, bytes, str]] = set()
    for dead in _dead_letters(lane):  # one that is read again is buried again
        found.add((dead.topic, dead.key, dead.value, dead.reason))
        if found >= wanted:
            break
    assert found == wanted


def test_an_error_in_the_agent_ends_the_process_and_the_record_is_counted_by_the_next(lane: Lane) -> None:
    lane.batches("t-d", 3)
    broken = lane.start("broken")
    assert broken.child.wait(WAIT_S) == 1
    sound = lane.start()
    sound.wait_counts("t-d", {"sms.accepted": 9, "sms.delivered": 6})
    assert sound.end(signal.SIGTERM) == 0


def test_wrong_questions_are_answered_as_such(lane: Lane) -> None:
    process = lane.start()
    process.wait_ready()
    for query in (
        "",
        "?tenant=",
        "?tenant=" + "t" * 65,
        "?tenant=t&minutes=0",
        "?tenant=t&minutes=x",
        "?tenant=t&minutes=" + "9" * 99,
    ):
        assert process.get("/v1/insight/usage" + query)[0] == 400, query
    assert process.get("/v1/insight/usage?tenant=nobody") == (200, {"rows": [], "since": 0})
    assert process.end(signal.SIGTERM) == 0


def _dead_letters(lane: Lane) -> Iterator[DeadRecord]:
    consumer = Consumer(
        {"bootstrap.servers": lane.bootstrap, "group.id": f"dead-{time.time_ns()}", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([lane.prefix + DEADLETTERS.name])
    try:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            record = consumer.poll(1.0)
            if record is not None and record.error() is None:
                yield CODEC.decode(record.value() or b"")
    finally:
        consumer.close()
