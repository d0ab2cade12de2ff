"""Reads the configuration topics into a ConfigTable: whole at the start, then whatever is new at each turn of a loop."""

import time

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.codec import Codec
from schemas.topics import CARRIERS, CONFIG
from tables.changelog import changelog_reader, ends_of, is_record
from tables.config import ConfigTable

PATIENCE_S = 10.0
FETCH_WAIT_MS = 500
BATCH_RECORDS = 1_000


class ConfigLagError(Exception):
    """The configuration that a request was made with did not arrive in time."""


class ConfigReader:
    """Owns one consumer over `hermes.config` and `hermes.carriers`, one partition each."""

    def __init__(self, bootstrap: str, codec: Codec, table: ConfigTable) -> None:
        self._codec = codec
        self._table = table
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
        self._consumer: Consumer = changelog_reader(bootstrap, FETCH_WAIT_MS)
        self._consumer.assign([TopicPartition(t.name, 0, 0) for t in (CONFIG, CARRIERS)])

    def poll(self, wait_s: float = 0) -> None:
        """Take in what is there."""
        for message in self._consumer.consume(BATCH_RECORDS, wait_s):
            if not is_record(message):
                continue
            value, key, topic, offset = message.value(), message.key(), message.topic(), message.offset()
            if key is not None and topic is not None and offset is not None:
                decoded = None if value is None else self._codec.decode(value)
                self._table.feed(topic, key.decode(), decoded, offset + 1)

    def catch_up(self, version: int) -> None:
        """Read on until the table has at least `version`."""
        deadline = time.monotonic() + PATIENCE_S
        while self._table.version < version:
            self.poll(0.05)
            if time.monotonic() > deadline:
                raise ConfigLagError(f"configuration {version} did not arrive, {self._table.version} is the newest")

    def catch_up_to_end(self) -> None:
        """Read everything that is there now."""
        place = TopicPartition(CONFIG.name, 0)
        end = ends_of(self._admin, [(CONFIG.name, 0)])[CONFIG.name, 0]
        deadline = time.monotonic() + PATIENCE_S
        while self._table.version < end:
            self.poll(0.05)
            at = self._consumer.position([place])[0].offset
            if at >= end:
                return
            if time.monotonic() > deadline:
                raise ConfigLagError(f"configuration {end} did not arrive, {self._table.version} is the newest")

    def close(self) -> None:
        """Release the consumer."""
        self._consumer.close()
