"""The counting of insight: when rows are written, when records are acknowledged, what a restore brings back."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from schemas.rows import UsageCounted
from streams.insight.tally import MAX_HELD, Tally
from streams.insight.usage import HORIZON_MINUTES, MINUTE_MS, Row
from streams.metrics import Metrics

NOW = 28_000_000 * MINUTE_MS


@dataclass
class FakeTable:
    """A table whose changelog can be read back."""

    data: dict[str, Row] = field(default_factory=dict)
    changelog: list[tuple[int, str, Row]] = field(default_factory=list)

    def send_changelog(self, partition: int, key: str, value: Row) -> object:
        self.changelog.append((partition, key, value))
        return None


@dataclass
class Acks:
    """The offsets that were acknowledged."""

    offsets: list[int] = field(default_factory=list)


def feed(tally: Tally, acks: Acks, offsets: range, partition: int = 0, at_ms: int = NOW) -> None:
    for offset in offsets:
        tally.add(UsageCounted("t1", at_ms, {"sms.accepted": 1}), partition, offset)
        tally.hold(lambda o=offset: acks.offsets.append(o))  # type: ignore[misc]


def tally_over(table: FakeTable, now_ms: int = NOW) -> Tally:
    return Tally(table, lambda: now_ms, Metrics(CollectorRegistry()))


def total(tally: Tally, partitions: tuple[int, ...] = (0, 1)) -> int:
    return sum(line.count for line in tally.usage("t1", 5, partitions))


def test_a_record_is_acknowledged_with_its_row_and_not_before() -> None:
    table, acks = FakeTable(), Acks()
    tally = tally_over(table)
    feed(tally, acks, range(3))
    assert (total(tally), table.changelog, acks.offsets) == (3, [], [])
    tally.release()
    assert [(p, row["offset"]) for p, _, row in table.changelog] == [(0, 2)]
    assert acks.offsets == [0, 1, 2]


def test_records_that_are_held_are_bounded() -> None:
    table, acks = FakeTable(), Acks()
    feed(tally_over(table), acks, range(MAX_HELD + 1))
    assert (len(table.changelog), len(acks.offsets)) == (1, MAX_HELD)


def test_a_row_goes_to_the_changelog_partition_of_its_records() -> None:
    table, acks = FakeTable(), Acks()
    tally = tally_over(table)
    feed(tally, acks, range(2), partition=0)
    feed(tally, acks, range(5), partition=1)
    tally.release()
    assert sorted((p, row["counts"]["sms.accepted"]) for p, _, row in table.changelog) == [(0, 2), (1, 5)]


def test_after_a_crash_the_records_between_changelog_and_commit_are_not_counted_twice() -> None:
    table, acks = FakeTable(), Acks()
    first = tally_over(table)
    feed(first, acks, range(10))
    first.release()
    feed(first, acks, range(10, 15))  # counted, never written

    restored = FakeTable({key: row for _, key, row in table.changelog})
    second = tally_over(restored)
    second.restored()
    assert total(second) == 10
    feed(second, acks, range(4, 20))  # the last commit was at 4
    assert total(second) == 20


def test_a_restored_row_beyond_the_horizon_is_forgotten_and_a_late_record_is_not_counted() -> None:
    table, acks = FakeTable(), Acks()
    tally = tally_over(table)
    feed(tally, acks, range(1))
    later = tally_over(table, NOW + HORIZON_MINUTES * MINUTE_MS)
    later.restored()
    assert table.data == {}
    feed(later, acks, range(1, 2))
    assert table.data == {}
