"""A turn of the loop that takes too long writes nothing more."""

import pytest

from streams.outlet import MAX_TURN_MS, DriverError, Turn

MAX_TURN_S = MAX_TURN_MS / 1000


class Clock:
    """Seconds, as told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_within_its_time_a_turn_may_write_and_the_next_may_begin() -> None:
    clock = Clock()
    turn = Turn(clock)
    for _ in range(3):
        turn.begin()
        clock.now_s += MAX_TURN_S
        turn.check()


def test_a_process_that_stood_still_writes_nothing_more() -> None:
    clock = Clock()
    turn = Turn(clock)
    turn.begin()
    clock.now_s += MAX_TURN_S + 0.001
    with pytest.raises(DriverError, match="another owner"):
        turn.check()


def test_a_process_that_stood_still_between_two_turns_begins_no_other() -> None:
    clock = Clock()
    turn = Turn(clock)
    turn.begin()
    clock.now_s += MAX_TURN_S + 0.001
    with pytest.raises(DriverError, match="another owner"):
        turn.begin()


def test_a_restore_may_take_its_time() -> None:
    clock = Clock()
    turn = Turn(clock)
    turn.begin()
    clock.now_s += 60
    turn.begin(anew=True)
    turn.check()
