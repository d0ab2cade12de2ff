"""The order in which a batch becomes durable: nobody hears of a message that is not on its topic yet."""

from dataclasses import dataclass, field

from domain.cascade.rule import Step
from schemas.topics import ADMISSIONS, CASCADE, MESSAGES, STATUS, VERDICTS
from streams.sim.world import World


@dataclass(slots=True)
class Landing:
    """The topics of a broker in the order in which records landed, a set for each flush."""

    flushes: list[set[str]] = field(default_factory=list)


def landings(world: World) -> Landing:
    """Watch what the pipeline's outlet makes durable from now on."""
    seen = Landing()
    outlet = world.driver.engine._outlet
    flush, send, answer = outlet.flush, outlet.send, outlet.answer
    open_ones: set[str] = set()

    @dataclass(slots=True)
    class Watched:
        def send(
            self, topic: str, key: bytes, value: bytes | None, partition: int | None = None, version: int | None = None
        ) -> None:
            open_ones.add(topic)
            send(topic, key, value, partition, version)

        def answer(self, topic: str, key: bytes, value: bytes, partition: int | None) -> None:
            seen.flushes.append({topic})
            answer(topic, key, value, partition)

        def flush(self) -> None:
            flush()
            if open_ones:
                seen.flushes.append(set(open_ones))
            open_ones.clear()

    world.driver.engine._outlet = Watched()
    return seen


def place(seen: Landing, topic: str) -> int:
    return next(n for n, topics in enumerate(seen.flushes) if topic in topics)


def test_a_decision_is_kept_then_the_message_passed_on_and_only_then_the_gateway_told() -> None:
    world = World()
    world.advance(1)
    seen = landings(world)
    world.submit(Step("sms", 60_000))
    world.driver.step(world.now_ms)
    assert place(seen, ADMISSIONS.name) < place(seen, CASCADE.name) < place(seen, VERDICTS.name)


def test_what_follows_from_a_state_is_told_before_the_state_is_kept() -> None:
    world = World()
    world.submit(Step("sms", 60_000))
    world.driver.step(world.now_ms)
    seen = landings(world)
    world.driver.step(world.now_ms)
    assert place(seen, STATUS.name) < place(seen, MESSAGES.name)


def test_a_cancellation_is_answered_when_its_state_is_kept() -> None:
    world = World()
    message_id = world.submit(Step("sms", 60_000))
    world.advance(1)
    seen = landings(world)
    world.cancel(message_id)
    world.driver.step(world.now_ms)
    assert place(seen, MESSAGES.name) < place(seen, VERDICTS.name)
