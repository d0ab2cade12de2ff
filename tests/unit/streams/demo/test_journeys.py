"""Journeys over a scripted API: what holds, and what is said of a message that went another way."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.demo.api import Answer, Json
from streams.demo.expectations import Checks, Result, failures
from streams.demo.journeys import BOUNCED, LATE_WHILE_WAITING, MAIL_DELIVERED, Leg, step_of, travel
from streams.demo.world import MAIN
from tests.unit.streams.demo.scripted import NOT_FOUND, Handler, attempt, events, message, world_of, write_books


def server(view: Json, timeline: list[Json], sent: list[Json]) -> Handler:
    def handle(method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> Answer:
        match method, path:
            case "POST", "/v1/messages/send":
                sent.append(body or {})
                return Answer(202, {"message_id": "msg-1"})
            case "POST", "/v1/cascade-rules":
                return Answer(201, {"rule_id": "rule-1", "steps": (body or {})["steps"]})
            case "GET", "/v1/messages/msg-1":
                return Answer(200, view)
            case "GET", "/v1/messages/msg-1/events":
                return Answer(200, {"events": timeline})
        return NOT_FOUND

    return handle


async def test_a_mail_that_goes_its_way_meets_every_expectation_and_is_on_the_bill(tmp_path: Path) -> None:
    view = message("msg-1", "delivered", [attempt(1, "email", "delivered")], 1)
    world = world_of(tmp_path, server(view, events("accepted", "attempting 1", "delivered 1", "delivered 1"), []))
    write_books(world, [], [world.mailbox("delivered", "mail")])
    checks = Checks()
    assert await travel(world, checks, MAIL_DELIVERED) == "msg-1"
    assert [one.what for one in checks.expectations if not one.ok] == []
    assert [line.after_ms for line in checks.timeline] == [0, 1_000, 2_000, 3_000]
    assert world.charged == {MAIN: 1_000}


async def test_a_mail_that_arrives_twice_fails_with_a_sentence(tmp_path: Path) -> None:
    view = message("msg-1", "delivered", [attempt(1, "email", "delivered")], 1)
    world = world_of(tmp_path, server(view, events("accepted", "attempting 1", "delivered 1", "delivered 1"), []))
    write_books(world, [], [world.mailbox("delivered", "mail")] * 2)
    checks = Checks()
    await travel(world, checks, MAIL_DELIVERED)
    told = failures([Result("mail", 1, tuple(checks.expectations), ())])
    assert told == ["mail: expected that the mail host took it once, but got 2 instead of 1."]


RECEIVED = ["receipt 2", "delivered 2"]


@pytest.mark.parametrize(
    ("end", "holds"),
    [
        (["sent 2", *RECEIVED], True),
        (RECEIVED, True),
        ([*RECEIVED, "sent 2"], True),
        (["sent 2", *RECEIVED, "sent 2"], False),
        (["sent 2", "receipt 2"], False),
    ],
)
async def test_a_receipt_may_overtake_the_answer_of_the_carrier(tmp_path: Path, end: list[str], holds: bool) -> None:
    view = message("msg-1", "delivered", [attempt(1, "email", "failed"), attempt(2, "sms", "delivered")], 2)
    way = ["accepted", "attempting 1", "failed 1", "attempting 2", *end]
    world = world_of(tmp_path, server(view, events(*way), []))
    write_books(world, [world.text("bounce")], [])
    checks = Checks()
    await travel(world, checks, BOUNCED)
    assert all(one.ok for one in checks.expectations) == holds


async def test_a_message_in_another_state_fails_in_events_state_attempts_and_price(tmp_path: Path) -> None:
    view = message("msg-1", "exhausted", [attempt(1, "email", "failed")])
    world = world_of(tmp_path, server(view, events("accepted", "attempting 1", "failed 1", "exhausted"), []))
    checks = Checks()
    await travel(world, checks, MAIL_DELIVERED)
    assert len([one for one in checks.expectations if not one.ok]) == 5


async def test_a_message_that_is_refused_fails_and_has_no_id(tmp_path: Path) -> None:
    world = world_of(tmp_path, lambda *_: NOT_FOUND)
    checks = Checks()
    assert await travel(world, checks, MAIL_DELIVERED) == ""
    assert [one.got for one in checks.expectations] == ["404 instead of 202"]


async def test_a_journey_with_a_window_saves_a_rule_and_sends_by_it(tmp_path: Path) -> None:
    sent: list[Json] = []
    world = world_of(tmp_path, server({}, [], sent))
    await travel(world, Checks(), LATE_WHILE_WAITING)
    assert sent[0]["routing"] == {"type": "cascade_rule", "cascade_rule_id": "rule-1"}


def test_a_window_opens_hours_from_now_for_one_hour_also_past_midnight() -> None:
    step = step_of(Leg("email", opens_in_h=6), datetime(2026, 11, 24, 17, 30, tzinfo=UTC))
    assert step["delivery_window"] == {"start": "23:30", "end": "00:30", "timezone": "UTC"}
