"""Processes of the simulation: partitions move with their rows, a replaced process ends, a dead one is replaced."""

from domain.cascade.rule import Step
from streams.sim.faults import Fault, swarm
from streams.sim.lane import MINUTE_MS
from streams.sim.promises.check import check
from streams.sim.world import World


def world_with(rate: float, *kinds: Fault) -> World:
    faults = swarm(1)
    faults.rates = dict.fromkeys(kinds, rate)
    return World(faults=faults)


def test_a_partition_moves_to_another_process_with_everything_in_it() -> None:
    world = World()
    message_id = world.submit(Step("sms", MINUTE_MS))
    world.advance(1)
    for _ in range(6):
        world.pipeline.rebalance()
        owned = sorted(number for process in world.pipeline.running for number in process.owned)
        assert owned == [0, 1]
        assert world.state(message_id) is not None
    world.advance(MINUTE_MS)
    check(world)


def test_a_process_that_was_replaced_ends_its_batch_and_nothing_more() -> None:
    world = world_with(0.2, "zombie")
    world.submit(Step("sms", MINUTE_MS))
    world.advance(10 * MINUTE_MS)
    assert world.faults.counts["zombie"] > 0
    assert len(world.pipeline.running) == 1
    check(world)


def test_a_process_that_dies_is_replaced_and_loses_nothing() -> None:
    world = world_with(0.2, "crash_landing", "crash_applied", "outage", "empty_disk")
    world.submit(Step("sms", MINUTE_MS))
    world.advance(10 * MINUTE_MS)
    assert world.faults.deaths > 0
    check(world)
