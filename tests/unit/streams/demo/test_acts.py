"""Cancelling, repeating and batches over a scripted API."""

from collections.abc import Mapping
from pathlib import Path

from streams.demo.acts import BATCH, batch, cancelled, repeated
from streams.demo.api import Answer, Json
from streams.demo.expectations import Checks
from streams.demo.world import MAIN
from tests.unit.streams.demo.scripted import NOT_FOUND, Handler, attempt, events, message, world_of, write_books

DELIVERED = [attempt(1, "sms", "delivered")]


def broken(checks: Checks) -> list[str]:
    return [one.what for one in checks.expectations if not one.ok]


def scheduler(*, cancels: bool) -> Handler:
    states = ["scheduled"]

    def handle(method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> Answer:
        if path == "/v1/messages/send":
            return Answer(202, {"message_id": "msg-1"})
        if path.endswith("/cancel"):
            states.extend(["cancelled"] if cancels and "cancelled" not in states else [])
            return Answer(200 if cancels else 409, {})
        if path.endswith("/events"):
            return Answer(200, {"events": events("accepted", *states)})
        reserved = {"amount_micros": 0 if "cancelled" in states else 30_000}
        return Answer(200, message("msg-1", states[-1], []) | {"reserved": reserved})

    return handle


async def test_a_scheduled_message_that_is_cancelled_meets_every_expectation(tmp_path: Path) -> None:
    checks = Checks()
    await cancelled(world_of(tmp_path, scheduler(cancels=True)), checks)
    assert broken(checks) == []


async def test_a_message_that_cannot_be_cancelled_fails(tmp_path: Path) -> None:
    checks = Checks()
    await cancelled(world_of(tmp_path, scheduler(cancels=False)), checks)
    assert "the cancellation answers 200" in broken(checks)
    assert "its one final state is cancelled" in broken(checks)


def repeater(ids: list[str], flags: list[str]) -> Handler:
    def handle(method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> Answer:
        if method == "POST":
            flag = flags.pop(0)
            return Answer(202, {"message_id": ids.pop(0)}, {"Idempotency-Replayed": flag} if flag else {})
        if path.endswith("/events"):
            return Answer(200, {"events": events("accepted")})
        return Answer(200, message("msg-1", "delivered", DELIVERED, 1))

    return handle


async def test_a_repetition_that_is_one_message_meets_every_expectation(tmp_path: Path) -> None:
    world = world_of(tmp_path, repeater(["msg-1", "msg-1"], ["", "true"]))
    write_books(world, [world.text("one idempotency key")], [])
    checks = Checks()
    await repeated(world, checks)
    assert broken(checks) == []
    assert world.charged[MAIN] == 30_000


async def test_a_repetition_that_is_a_second_message_fails(tmp_path: Path) -> None:
    world = world_of(tmp_path, repeater(["msg-1", "msg-2"], ["", ""]))
    write_books(world, [world.text("one idempotency key")] * 2, [])
    checks = Checks()
    await repeated(world, checks)
    assert broken(checks) == [
        "both answers name the same message",
        "only the second says Idempotency-Replayed",
        "the carrier took it once",
    ]


async def test_a_batch_with_one_message_lost_on_its_way_fails(tmp_path: Path) -> None:
    def handle(method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> Answer:
        if method == "POST":
            results = [{"index": n, "message_id": f"msg-{n}"} for n in range(BATCH)]
            return Answer(200, {"accepted": BATCH, "results": results})
        if path == "/v1/messages/msg-7":
            return NOT_FOUND
        return Answer(200, message(path.rpartition("/")[2], "delivered", DELIVERED, 1))

    world = world_of(tmp_path, handle)
    write_books(world, [world.text(f"batch {n}") for n in range(BATCH) if n != 7], [])
    checks = Checks()
    await batch(world, checks)
    assert broken(checks) == ["all are delivered", "they cost a hundred times an SMS", "the carrier took each once"]
