"""Topics on a real broker: made, brought in line, never grown silently."""

import uuid

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]  # it re-exports

from domain.errors import ConfigError, TransientError
from schemas.rows import DeadRecord
from schemas.topics import Topic
from streams import admin
from tests.conftest import Stack

pytestmark = pytest.mark.integration

WAIT_S = 20.0


def topic(name: str, **more: object) -> Topic:
    return Topic(f"test.{name}.{uuid.uuid4().hex[:8]}", "k", (DeadRecord,), **more)  # type: ignore[arg-type]  # of any kind


def partitions(stack: Stack, name: str) -> int:
    return len(AdminClient({"bootstrap.servers": stack.bootstrap}).list_topics(timeout=WAIT_S).topics[name].partitions)


def settings(stack: Stack, name: str) -> dict[str, str]:
    client = AdminClient({"bootstrap.servers": stack.bootstrap})
    found = client.describe_configs([ConfigResource(ResourceType.TOPIC, name)])
    return {key: entry.value for future in found.values() for key, entry in future.result(WAIT_S).items()}


def test_topics_are_made_with_their_partitions_and_settings_and_a_second_time_changes_nothing(stack: Stack) -> None:
    keyed, single = topic("keyed", retention_ms=3_600_000), topic("single", spread="single", cleanup="compact")
    for _ in range(2):
        admin.ensure_topics(stack.bootstrap, (keyed, single), 3)

    assert (partitions(stack, keyed.name), partitions(stack, single.name)) == (3, 1)
    found = settings(stack, keyed.name)
    assert found["cleanup.policy"] == "delete"
    assert found["retention.ms"] == "3600000"
    assert found["max.message.bytes"] == str(2 * 1024 * 1024)
    assert settings(stack, single.name)["cleanup.policy"] == "compact"


def test_a_setting_that_changed_is_brought_in_line(stack: Stack) -> None:
    before = topic("changed", retention_ms=3_600_000)
    after = Topic(before.name, before.key, before.holds, cleanup="compact,delete", retention_ms=7_200_000)
    admin.ensure_topics(stack.bootstrap, (before,), 1)

    admin.ensure_topics(stack.bootstrap, (after,), 1)

    found = settings(stack, before.name)
    assert (found["cleanup.policy"], found["retention.ms"]) == ("compact,delete", "7200000")


def test_another_number_of_partitions_is_refused(stack: Stack) -> None:
    keyed = topic("keyed")
    admin.ensure_topics(stack.bootstrap, (keyed,), 2)

    with pytest.raises(ConfigError, match=f"{keyed.name} has 2 partitions instead of 4"):
        admin.ensure_topics(stack.bootstrap, (keyed,), 4)
    assert partitions(stack, keyed.name) == 2


def test_more_replicas_than_brokers_is_an_error_that_names_kafka(stack: Stack) -> None:
    with pytest.raises(TransientError, match="Kafka at"):
        admin.ensure_topics(stack.bootstrap, (topic("replicated"),), 1, replication=3)
