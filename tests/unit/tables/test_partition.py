"""A partition's tables: what a batch staged, what the changelog brings back, what is due and what is over."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.billing.money import Account, LedgerEntry, Resolution
from domain.cascade.plan import Plan
from domain.cascade.states import Cascade
from schemas.catalogue import codec
from schemas.rows import RateWindow
from schemas.topics import ADMISSIONS, MESSAGES
from tables.catalogue import ACCOUNTS, CASCADE_ROWS, RESOLUTIONS, WINDOWS
from tables.partition import LogRecord, Partition
from tables.store import MemoryStore

CODEC = codec()
NOW = 1_000_000
PLAN = Plan((), "delivered", 1_000, "delivered", 0, "")


def partition(store: MemoryStore | None = None) -> Partition:
    return Partition(0, store or MemoryStore(), CODEC)


def commit(of: Partition) -> list[LogRecord]:
    """Make what is staged the state; what went to the changelogs."""
    staged = of.staged(CODEC.encode)
    of.apply(staged)
    return [(table.changelog.name, table.log_key(key), row, version) for table, key, row, version in staged]


def cascade(timer: int, due_ms: int, message_id: str = "m", *, ended: bool = False) -> Cascade:
    """A message that wants to be woken."""
    return Cascade(
        message_id, "t", PLAN, 0, NOW, NOW, "trace", state="delivered" if ended else "attempting",
        wake="retire" if ended else "timeout", wake_at_ms=due_ms, timer=timer,
    )  # fmt: skip


def resolution(expires_at_ms: int) -> Resolution:
    entry = LedgerEntry("resolve:m", "t", "m", "settle", 0, 0, 0, 0, 1, 1)
    return Resolution(entry, 1, expires_at_ms)


def window(count: int, offset: int = 0) -> RateWindow:
    return RateWindow((count,), 1, offset)


def test_a_batch_sees_its_own_rows_and_nothing_is_stored_before_they_are_applied() -> None:
    store = MemoryStore()
    one = partition(store)
    one.put(WINDOWS, "t", window(1), 5)
    assert one.get(WINDOWS, "t") == window(1)
    assert store.get(WINDOWS.store_key("t")) is None
    one.forget()
    assert one.get(WINDOWS, "t") is None


def test_an_applied_row_is_read_by_this_partition_and_by_the_next_over_its_store() -> None:
    store = MemoryStore()
    one = partition(store)
    one.put(WINDOWS, "t", window(1), 5)
    commit(one)
    assert one.get(WINDOWS, "t") == partition(store).get(WINDOWS, "t") == window(1)
    one.delete(WINDOWS, "t", 6)
    assert one.get(WINDOWS, "t") is None
    commit(one)
    assert one.get(WINDOWS, "t") is partition(store).get(WINDOWS, "t") is None


def test_rows_go_to_their_changelog_in_the_order_of_the_tables_and_share_it_under_tags() -> None:
    one = partition()
    one.put(WINDOWS, "t", window(1), 5)
    one.put(ACCOUNTS, "t", Account("t", submissions_offset=3, billing_offset=4), 5)
    one.put(RESOLUTIONS, "t", resolution(NOW), 5)
    log = commit(one)
    assert [(topic, key, version) for topic, key, _, version in log] == [
        (ADMISSIONS.name, b"rt", 5),
        (ADMISSIONS.name, b"at", 9),  # of an account its own two offsets, each one up so that none is below zero
        (ADMISSIONS.name, b"wt", 5),
    ]


def test_an_empty_disk_gets_every_row_back_from_the_changelogs() -> None:
    one = partition()
    log: list[LogRecord] = []
    one.put(WINDOWS, "a", window(1), 1)
    one.put(CASCADE_ROWS, "m", cascade(1, NOW), 1)
    log += commit(one)
    one.put(WINDOWS, "a", window(2), 2)
    one.put(WINDOWS, "b", window(3), 2)
    one.delete(CASCADE_ROWS, "m", 2)
    log += commit(one)

    two = partition()
    assert two.restore(log) == len(log)
    two.load_timers()
    assert (two.get(WINDOWS, "a"), two.get(WINDOWS, "b"), two.get(CASCADE_ROWS, "m")) == (window(2), window(3), None)
    assert two.pending == 0


def test_a_late_write_of_a_process_that_was_replaced_changes_nothing() -> None:
    new, late = CODEC.encode(window(9)), CODEC.encode(window(1))
    one = partition()
    one.restore([(ADMISSIONS.name, b"wt", new, 20), (ADMISSIONS.name, b"wt", late, 10)])
    one.restore([(ADMISSIONS.name, b"wt", late, 19)])
    assert one.get(WINDOWS, "t") == window(9)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=40), st.integers(0, 40))
def test_restoring_in_any_pieces_and_twice_gives_the_highest_version_of_each_key(
    writes: list[tuple[str, int]], cut: int
) -> None:
    log = [(ADMISSIONS.name, b"w" + k.encode(), CODEC.encode(window(n, v)), v) for n, (k, v) in enumerate(writes)]
    whole, pieces = partition(), partition()
    whole.restore(log)
    pieces.restore(log[:cut])
    pieces.restore(log[cut:])
    pieces.restore(log)
    for key in "abc":
        row = whole.get(WINDOWS, key)
        assert row == pieces.get(WINDOWS, key)
        assert (row.offset if row else None) == max((v for k, v in writes if k == key), default=None)


def test_timers_are_due_in_their_order_each_once_and_at_most_so_many() -> None:
    one = partition()
    for number, due_ms in enumerate((300, 100, 200)):
        one.put(CASCADE_ROWS, f"m{number}", cascade(1, due_ms, f"m{number}"), 1)
    commit(one)
    assert one.next_due_ms() == 100
    assert [t.due_ms for t in one.due(250, 10)] == [100, 200]
    assert one.due(250, 10) == []
    assert [t.due_ms for t in one.due(1_000, 10)] == [300]
    assert one.pending == 3


def test_no_more_timers_are_given_than_were_asked_for() -> None:
    one = partition()
    for number in range(5):
        one.put(CASCADE_ROWS, f"m{number}", cascade(1, 100, f"m{number}"), 1)
    commit(one)
    assert [len(one.due(100, 2)) for _ in range(4)] == [2, 2, 1, 0]


def test_a_timer_that_was_set_anew_or_cleared_does_not_fire_at_its_old_time() -> None:
    one = partition()
    one.put(CASCADE_ROWS, "m", cascade(1, 100), 1)
    one.put(CASCADE_ROWS, "n", cascade(1, 100, "n"), 1)
    commit(one)
    one.put(CASCADE_ROWS, "m", cascade(2, 500), 2)
    one.delete(CASCADE_ROWS, "n", 2)
    commit(one)
    assert one.due(400, 10) == []
    assert [(t.number, t.due_ms) for t in one.due(500, 10)] == [(2, 500)]


def test_after_a_restart_a_timer_that_fired_and_was_not_cleared_fires_again() -> None:
    store = MemoryStore()
    one = partition(store)
    one.put(CASCADE_ROWS, "m", cascade(1, 100), 1)
    log = commit(one)
    assert len(one.due(100, 10)) == 1
    two = partition(store)
    assert two.load_timers() == 1
    assert len(two.due(100, 10)) == 1
    three = partition()
    three.restore(log)
    assert three.load_timers() == 1
    assert log[0][0] == MESSAGES.name


def test_a_row_is_dropped_when_its_time_is_over_and_says_so_on_the_changelog() -> None:
    one = partition()
    one.put(RESOLUTIONS, "r", resolution(NOW), 7)
    commit(one)
    assert one.expire(NOW - 1, 10) == 0
    assert one.expire(NOW, 10) == 1
    assert commit(one) == [(ADMISSIONS.name, b"rr", None, 7)]
    assert one.get(RESOLUTIONS, "r") is None
    assert one.expire(NOW, 10) == 0


def test_a_row_that_was_written_anew_lives_on_until_its_new_time() -> None:
    one = partition()
    one.put(RESOLUTIONS, "r", resolution(NOW), 7)
    commit(one)
    one.put(RESOLUTIONS, "r", resolution(NOW + 100), 8)
    commit(one)
    assert one.expire(NOW, 10) == 1  # the place in the index, not the row
    assert commit(one) == []
    assert one.get(RESOLUTIONS, "r") == resolution(NOW + 100)
    one.expire(NOW + 100, 10)
    commit(one)
    assert one.get(RESOLUTIONS, "r") is None


def test_a_row_that_this_batch_writes_is_not_dropped_under_its_hands() -> None:
    one = partition()
    one.put(RESOLUTIONS, "r", resolution(NOW), 7)
    commit(one)
    one.put(RESOLUTIONS, "r", resolution(NOW + 100), 8)
    one.expire(NOW, 10)
    commit(one)
    assert one.get(RESOLUTIONS, "r") == resolution(NOW + 100)


def test_expired_rows_go_a_few_at_a_time_and_also_after_a_restore() -> None:
    one = partition()
    for number in range(5):
        one.put(RESOLUTIONS, f"r{number}", replace(resolution(NOW), offset=number), number)
    log = commit(one)
    two = partition()
    two.restore(log)
    dropped = []
    for _ in range(4):
        dropped.append(two.expire(NOW, 2))
        commit(two)
    assert dropped == [2, 2, 1, 0]


def test_a_message_that_ended_is_active_no_more_and_an_annotation_leaves_its_timer_alone() -> None:
    one = partition()
    one.put(CASCADE_ROWS, "m", cascade(1, 100), 1)
    commit(one)
    assert (one.active, one.pending) == (1, 1)
    one.put(CASCADE_ROWS, "m", cascade(2, 500, ended=True), 2)
    commit(one)
    one.put(CASCADE_ROWS, "m", replace(cascade(2, 500, ended=True), charged_micros=1), 3)
    commit(one)
    assert (one.active, one.pending) == (0, 1)
    assert [wake.final for wake in one.due(500, 10)] == [True]
    one.delete(CASCADE_ROWS, "m", 4)
    commit(one)
    assert (one.active, one.pending, one.next_due_ms()) == (0, 0, None)


def test_a_message_that_left_while_this_process_was_away_leaves_no_timer_on_its_disk() -> None:
    store = MemoryStore()
    one = partition(store)
    one.put(CASCADE_ROWS, "m", cascade(1, 100), 1)
    commit(one)
    two = partition(store)
    two.restore([(MESSAGES.name, b"sm", None, 2)])
    assert two.load_timers() == 0
