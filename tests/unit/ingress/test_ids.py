"""Version 7 UUIDs: their form, their order, and that each is another."""

import uuid

from ingress.ids import Uuid7


def test_an_id_is_a_uuid_of_version_7_with_the_milliseconds_in_front() -> None:
    made = uuid.UUID(Uuid7(now_ns=lambda: 1_770_724_800_123_456_789)())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == 1_770_724_800_123


def test_ids_sort_by_when_they_were_made_even_when_the_clock_steps_back() -> None:
    times = iter([2_000_000, 2_000_000, 1_000_000, 2_000_000, 9_000_000])
    new_id = Uuid7(now_ns=lambda: next(times))
    made = [new_id() for _ in range(5)]
    assert made == sorted(set(made))


def test_chance_is_asked_for_again_when_it_is_used_up() -> None:
    pieces = iter([bytes(range(20)), bytes(range(100, 120)), bytes(range(200, 220))])
    new_id = Uuid7(now_ns=lambda: 0, chance=lambda _count: next(pieces))
    assert len({new_id()[20:] for _ in range(6)}) == 6
