"""The faults do what they say, and refuse a state that no campaign made."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import Consumer

from domain.billing.money import Grant, Settle
from domain.errors import ConfigError
from schemas.catalogue import codec
from schemas.topics import BILLING, STATUS
from streams.crash.faults import ONE_ROW_IN, ONE_SETTLE_IN, DoubleSettles, EarlyCommits, inject, lose_rows
from streams.kafka import KafkaDriver
from tables.catalogue import CASCADE_ROWS, MESSAGE_ROWS
from tables.partition import Partition

CODEC = codec()


@dataclass
class Sent:
    """An outlet that remembers."""

    records: list[tuple[str, Any]] = field(default_factory=list)
    flushes: int = 0

    def send(
        self, topic: str, key: bytes, value: bytes | None, partition: int | None = None, version: int | None = None
    ) -> None:
        self.records.append((topic, CODEC.decode(value or b"")))

    def flush(self) -> None:
        self.flushes += 1

    def answer(self, topic: str, key: bytes, value: bytes, partition: int | None) -> None:
        self.records.append((topic, value))


def test_one_settlement_in_some_is_sent_again_under_another_id() -> None:
    sent = Sent()
    outlet = DoubleSettles(sent, CODEC)
    for number in range(ONE_SETTLE_IN):
        outlet.send(BILLING.name, b"t", CODEC.encode(Settle("t", f"msg-{number}", 30, 20, 1)))
    outlet.flush()
    ids = [value.message_id for _, value in sent.records]
    assert ids == [*(f"msg-{number}" for number in range(ONE_SETTLE_IN)), f"msg-{ONE_SETTLE_IN - 1}-again"]
    assert sent.flushes == 1


def test_nothing_else_is_sent_twice() -> None:
    sent = Sent()
    outlet = DoubleSettles(sent, CODEC)
    for _ in range(3 * ONE_SETTLE_IN):
        outlet.send(BILLING.name, b"t", CODEC.encode(Grant("t", "g", 1, 1)))
        outlet.send(STATUS.name, b"t", CODEC.encode(Settle("t", "m", 30, 20, 1)))
    assert len(sent.records) == 6 * ONE_SETTLE_IN


class Rows:
    """A partition as far as a batch's rows go."""

    def staged(self, _encode: Any) -> list[tuple[Any, str]]:
        return [(CASCADE_ROWS, f"row {number}") for number in range(7)]


def test_one_staged_row_in_some_is_lost_whatever_the_batches_are() -> None:
    rows = Rows()
    lose_rows(cast(Partition, rows))
    kept = sum(len(rows.staged(None)) for _ in range(ONE_ROW_IN))
    assert kept == 7 * ONE_ROW_IN - 7


def test_the_rows_of_messages_are_spared() -> None:
    partition = cast(Any, SimpleNamespace(staged=lambda: [(MESSAGE_ROWS, "m")] * ONE_ROW_IN))
    lose_rows(partition)
    assert len(partition.staged()) == ONE_ROW_IN


@dataclass
class Record:
    """A message of librdkafka."""

    place: int

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.place

    def error(self) -> None:
        return None


@dataclass
class Reader:
    """A consumer with three records; it remembers what happened in which order."""

    log: list[str] = field(default_factory=list)

    def poll(self, _timeout: float) -> Record:
        return Record(0)

    def consume(self, _count: int, _timeout: float) -> list[Record]:
        return [Record(1), Record(2)]

    def commit(self, offsets: list[Any], asynchronous: bool) -> None:
        self.log.append(f"commit {offsets[0].offset} {asynchronous}")

    def close(self) -> None:
        self.log.append("close")


def test_offsets_are_committed_before_the_records_are_handed_out() -> None:
    reader = Reader()
    eager = EarlyCommits(cast(Consumer, reader))
    assert eager.poll(0.1) is not None
    assert len(eager.consume(10, 0)) == 2
    eager.close()
    assert reader.log == ["commit 1 False", "commit 3 False", "close"]


@pytest.mark.parametrize("fault", ["early-commit", "double-settle", "lost-row"])
def test_a_state_that_no_campaign_made_is_refused(fault: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unset it"):
        inject(fault, cast(KafkaDriver, object()), CODEC, tmp_path)


def test_a_fault_that_is_none_is_refused_even_in_a_campaign(tmp_path: Path) -> None:
    (tmp_path / "crash.toml").touch()
    with pytest.raises(ConfigError):
        inject("rain", cast(KafkaDriver, object()), CODEC, tmp_path)
