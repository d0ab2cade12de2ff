"""Topics from the catalogue: made where they are missing, their settings brought in line, and there when this returns."""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it re-exports some of them without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from domain.errors import ConfigError, TransientError
from schemas.topics import Topic, partitions_of

log = structlog.get_logger()

MAX_MESSAGE_OCTETS = 2 * 1024 * 1024
COMPACTED_SEGMENT_OCTETS = 64 * 1024 * 1024
"""Only closed segments are compacted: small ones keep a restore short."""
REQUEST_TIMEOUT_S = 30.0
VISIBLE_WITHIN_S = 30.0
VISIBLE_POLL_S = 0.05
RETRY_AFTER_MS = 1_000


def ensure_topics(bootstrap: str, topics: tuple[Topic, ...], keyed_partitions: int, replication: int = 1) -> None:
    """Every topic exists as the catalogue has it, and each of its partitions has a leader.

    A keyed topic is never given more partitions: its keys would move away from their tables.

    Raises:
        ConfigError: a topic exists with another number of partitions.
        TransientError: the brokers did not answer in time, or refused.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    try:
        found = {name: len(topic.partitions) for name, topic in _metadata(admin).items()}
        _refuse_other_counts(found, topics, keyed_partitions)
        missing = [topic for topic in topics if topic.name not in found]
        _create(admin, missing, keyed_partitions, replication)
        _align(admin, [topic for topic in topics if topic.name in found], replication)
        _wait_until_led(admin, topics, keyed_partitions)
    except KafkaException as error:
        raise TransientError(f"Kafka at {bootstrap}: {error.args[0].str()}", RETRY_AFTER_MS) from error


def topic_settings(topic: Topic, replication: int) -> dict[str, str]:
    """A topic's settings as Kafka names them."""
    settings = {
        "cleanup.policy": topic.cleanup,
        "max.message.bytes": str(MAX_MESSAGE_OCTETS),
        "min.insync.replicas": str(max(1, replication - 1)),
    }
    if "delete" in topic.cleanup:
        settings["retention.ms"] = str(topic.retention_ms)
    if "compact" in topic.cleanup:
        settings["segment.bytes"] = str(COMPACTED_SEGMENT_OCTETS)
    return settings


def _metadata(admin: AdminClient) -> Mapping[str, Any]:
    return admin.list_topics(timeout=REQUEST_TIMEOUT_S).topics


def _refuse_other_counts(found: Mapping[str, int], topics: tuple[Topic, ...], keyed_partitions: int) -> None:
    wrong = [
        f"{topic.name} has {found[topic.name]} partitions instead of {partitions_of(topic, keyed_partitions)}"
        for topic in topics
        if topic.name in found and found[topic.name] != partitions_of(topic, keyed_partitions)
    ]
    if wrong:
        raise ConfigError(
            f"the number of partitions cannot change once topics exist, for keys would leave their tables: {'; '.join(wrong)}"
        )


def _create(admin: AdminClient, topics: list[Topic], keyed_partitions: int, replication: int) -> None:
    if not topics:
        return
    wanted = [
        NewTopic(
            topic.name,
            num_partitions=partitions_of(topic, keyed_partitions),
            replication_factor=replication,
            config=topic_settings(topic, replication),
        )
        for topic in topics
    ]
    for future in admin.create_topics(wanted, request_timeout=REQUEST_TIMEOUT_S).values():
        try:
            _result(future)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was faster
                raise
    log.info("topics_created", topics=len(topics))


def _align(admin: AdminClient, topics: list[Topic], replication: int) -> None:
    """Set what differs, and nothing else."""
    if not topics:
        return
    resources = {t.name: ConfigResource(ResourceType.TOPIC, t.name) for t in topics}
    answers = admin.describe_configs(list(resources.values()), request_timeout=REQUEST_TIMEOUT_S)
    now = {resource.name: _result(future) for resource, future in answers.items()}
    changed = []
    for topic in topics:
        different = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in topic_settings(topic, replication).items()
            if name not in now[topic.name] or now[topic.name][name].value != value
        ]
        if different:
            changed.append(ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=different))
    if changed:
        for future in admin.incremental_alter_configs(changed, request_timeout=REQUEST_TIMEOUT_S).values():
            _result(future)
        log.info("topics_changed", topics=[resource.name for resource in changed])


def _wait_until_led(admin: AdminClient, topics: tuple[Topic, ...], keyed_partitions: int) -> None:
    deadline = time.monotonic() + VISIBLE_WITHIN_S
    while waiting := _without_leader(admin, topics, keyed_partitions):
        if time.monotonic() > deadline:
            raise TransientError(f"no leader after {VISIBLE_WITHIN_S:.0f} s for {', '.join(waiting)}", RETRY_AFTER_MS)
        time.sleep(VISIBLE_POLL_S)


def _without_leader(admin: AdminClient, topics: tuple[Topic, ...], keyed_partitions: int) -> list[str]:
    seen = _metadata(admin)
    waiting = []
    for topic in topics:
        partitions = seen[topic.name].partitions.values() if topic.name in seen else ()
        led = [p for p in partitions if p.leader >= 0]
        if len(led) < partitions_of(topic, keyed_partitions):
            waiting.append(topic.name)
    return waiting


def _result(future: "Future[Any]") -> Any:
    return future.result(REQUEST_TIMEOUT_S)
