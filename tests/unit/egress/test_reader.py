"""Attempts of a full lane are kept, a flood of them is paused at the broker, and what went to another owner is forgotten."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from egress.group import Member
from egress.reader import LOW, MAX_BATCH, MAX_KEPT, AttemptReader

SLOW, FAST = "hermes.smpp.slow.v1", "hermes.smpp.fast.v1"
FULL = frozenset({SLOW})


@dataclass(frozen=True, slots=True)
class FakeMessage:
    """A record as librdkafka gives it."""

    _topic: str
    _offset: int

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"value"

    def __len__(self) -> int:
        return 5


@dataclass(slots=True)
class FakeConsumer:
    """Gives what is waiting, of topics that are not paused."""

    waiting: list[FakeMessage] = field(default_factory=list)
    paused: set[str] = field(default_factory=set)
    committed: dict[str, int] = field(default_factory=dict)
    refusal: int | None = None
    assign: Callable[..., None] = field(default=lambda *_: None)
    revoke: Callable[..., None] = field(default=lambda *_: None)

    def subscribe(self, topics: list[str], on_assign: Callable[..., None], on_revoke: Callable[..., None]) -> None:
        self.assign, self.revoke = on_assign, on_revoke
        on_assign(self, [TopicPartition(topic, 0) for topic in topics])

    def poll(self, _wait_s: float) -> FakeMessage | None:
        return next(iter(self.consume(1, 0)), None)

    def consume(self, most: int, _wait_s: float) -> list[FakeMessage]:
        given = [message for message in self.waiting if message.topic() not in self.paused][:most]
        self.waiting = [message for message in self.waiting if message not in given]
        return given

    def pause(self, places: list[TopicPartition]) -> None:
        self.paused |= {place.topic for place in places}

    def resume(self, places: list[TopicPartition]) -> None:
        self.paused -= {place.topic for place in places}

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:
        assert not asynchronous
        if self.refusal is not None:
            raise KafkaException(KafkaError(self.refusal))
        self.committed |= {place.topic: place.offset for place in offsets}

    def close(self) -> None:
        self.waiting.clear()


async def started() -> tuple[FakeConsumer, AttemptReader]:
    consumer = FakeConsumer()
    library: Any = consumer  # the reader needs no more of one than the fake has
    member = Member(library, (SLOW, FAST))
    await member.start()
    return consumer, AttemptReader(member)


def of(topic: str, count: int, first: int = 0) -> list[FakeMessage]:
    return [FakeMessage(topic, first + number) for number in range(count)]


async def test_a_full_lane_is_kept_waiting_and_the_others_go_on() -> None:
    consumer, reader = await started()
    consumer.waiting = [*of(SLOW, 2), *of(FAST, 2)]
    turn = await reader.turn(FULL)
    assert [(r.topic, r.offset) for r in turn.records] == [(FAST, 0), (FAST, 1)]
    turn = await reader.turn(frozenset())
    assert [(r.topic, r.offset) for r in turn.records] == [(SLOW, 0), (SLOW, 1)]


async def test_too_much_for_a_full_lane_is_paused_and_goes_on_when_little_is_left() -> None:
    consumer, reader = await started()
    consumer.waiting = of(SLOW, MAX_KEPT + 2 * MAX_BATCH)
    while SLOW not in consumer.paused:
        await reader.turn(FULL)
    consumer.waiting += of(FAST, 1)
    assert [r.topic for r in (await reader.turn(FULL)).records] == [FAST]
    offsets: list[int] = []
    while SLOW in consumer.paused:
        offsets += [r.offset for r in (await reader.turn(frozenset())).records]
    assert MAX_KEPT - MAX_KEPT // LOW <= len(offsets) <= MAX_KEPT + MAX_BATCH
    while records := (await reader.turn(frozenset())).records:
        offsets += [r.offset for r in records]
    assert offsets == list(range(MAX_KEPT + 2 * MAX_BATCH))


async def test_what_another_process_owns_now_is_told_and_not_handed_over() -> None:
    consumer, reader = await started()
    consumer.waiting = of(SLOW, 2)
    await reader.turn(FULL)
    consumer.revoke(consumer, [TopicPartition(SLOW, 0)])
    turn = await reader.turn(frozenset())
    assert (turn.records, turn.lost) == ([], [(SLOW, 0)])
    await reader.commit({(SLOW, 0): 2, (FAST, 0): 1})
    assert consumer.committed == {FAST: 1}


async def test_a_commit_that_comes_too_late_for_the_group_is_let_go() -> None:
    consumer, reader = await started()
    consumer.refusal = KafkaError.ILLEGAL_GENERATION
    await reader.commit({(SLOW, 0): 2})
    assert consumer.committed == {}
