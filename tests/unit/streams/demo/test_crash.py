"""The crash: one kill in mid-flight, repetitions until all are accepted, and books that agree with the API."""

from collections.abc import Mapping
from pathlib import Path

from streams.demo.api import Answer, Json
from streams.demo.crash import KILL_AFTER, MESSAGES, account, crash, handed_over, item_of
from streams.demo.expectations import Checks
from tests.unit.streams.demo.scripted import NOT_FOUND, attempt, events, message, world_of, write_books

DELIVERED = [attempt(1, "sms", "delivered")]


def broken(checks: Checks) -> list[str]:
    return [one.what for one in checks.expectations if not one.ok]


async def test_the_pipeline_is_killed_once_and_every_message_is_found_again(tmp_path: Path) -> None:
    given: dict[str, str] = {}
    batches: list[int] = []

    def handle(method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> Answer:
        if path == "/v1/messages/batch":
            batches.append(len(given))
            keys = [one["idempotency_key"] for one in (body or {})["messages"]]
            results = [{"message_id": given.setdefault(key, f"msg-{len(given)}")} for key in keys]
            return Answer(200, {"accepted": len(results), "results": results})
        if path.endswith("/events"):
            return Answer(200, {"events": events("accepted")})
        return Answer(200, message(path.rpartition("/")[2], "delivered", DELIVERED, 1))

    world = world_of(tmp_path, handle)
    write_books(world, [item_of(world, number).text for number in range(MESSAGES)], [])
    checks = Checks()
    await crash(world, checks)
    assert broken(checks) == []
    assert checks.expectations[0].got == f"{MESSAGES - KILL_AFTER * 20} not yet answered"


def test_a_message_taken_twice_by_the_carrier_fails_unless_its_hand_over_is_unknown(tmp_path: Path) -> None:
    world = world_of(tmp_path, lambda *_: NOT_FOUND)
    items = [item_of(world, 3)]
    write_books(world, [items[0].text] * 2, [])
    checks = Checks()
    account(world, checks, items, [message("msg-1", "delivered", DELIVERED, 1)])
    assert broken(checks) == ["the books of carrier and mail host have each attempt that went out, and once"]
    checks = Checks()
    account(world, checks, items, [message("msg-1", "delivered", [attempt(1, "sms", "delivered", unknown=True)], 1)])
    assert broken(checks) == []
    assert checks.expectations[-1].got == "0 of 1 wrong, 1 with an attempt whose hand-over is unknown"


def test_a_message_that_is_lost_fails(tmp_path: Path) -> None:
    world = world_of(tmp_path, lambda *_: NOT_FOUND)
    checks = Checks()
    account(world, checks, [item_of(world, 3)], [message("msg-1", "waiting_confirmation", [])])
    assert broken(checks) == ["every message reached one final state: delivered"]


def test_an_attempt_that_expired_before_it_was_sent_is_in_no_book() -> None:
    attempts = [attempt(1, "sms", "failed"), attempt(2, "email", "delivered")]
    assert handed_over(message("msg-1", "delivered", attempts, 2)) == {"sms": 0, "email": 1}


def test_of_ten_messages_the_kinds_are_mixed_and_no_two_are_alike(tmp_path: Path) -> None:
    world = world_of(tmp_path, lambda *_: NOT_FOUND)
    items = [item_of(world, number) for number in range(MESSAGES)]
    assert len({item.text for item in items}) == MESSAGES
    steps = [[one["channel"] for one in item.body["routing"]["channels"]] for item in items[:10]]
    assert steps == [["sms"], ["sms", "email"], ["email"], *[["sms"]] * 7]
