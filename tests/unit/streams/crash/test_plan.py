"""The plan of a campaign: the same for the same seed, of every kind, and within its bounds."""

from collections import Counter
from typing import get_args

from streams.crash.plan import AGAIN_MS, EXTERNAL, PAUSE_MS, STOP_MS, Kind, Victim, plan

DECK = 25


def test_a_seed_gives_the_same_plan_each_time_and_another_one_another() -> None:
    assert plan(7, 60) == plan(7, 60)
    assert plan(7, 60) != plan(8, 60)


def test_a_shorter_plan_is_the_beginning_of_a_longer_one() -> None:
    assert plan(7, 60)[:10] == plan(7, 10)


def test_within_a_round_every_kind_comes_and_every_process_dies() -> None:
    for seed in range(20):
        blows = plan(seed, DECK)
        assert {one.kind for one in blows} == set(get_args(Kind))
        assert {name for one in blows if one.kind == "kill" for name in one.victims} == set(get_args(Victim))


def test_all_times_are_within_their_bounds() -> None:
    for one in plan(3, 500):
        assert PAUSE_MS[0] <= one.pause_ms <= PAUSE_MS[1]
        bounds = {"again": AGAIN_MS, "stop": STOP_MS, "zombie": STOP_MS}.get(one.kind, (0, 0))
        assert bounds[0] <= one.after_ms <= bounds[1]
        assert len(set(one.victims)) == (2 if one.kind == "two at once" else 1)


def test_what_is_given_from_outside_is_left_alone() -> None:
    assert not any(EXTERNAL.intersection(one.victims) for one in plan(3, 300, external=EXTERNAL))


def test_recoveries_are_told_apart_by_kind_and_victim() -> None:
    names = Counter(one.name for one in plan(1, DECK))
    assert {"kill kafka", "forget egress", "zombie pipeline", "join SIGKILL", "join SIGTERM"} <= set(names)
