"""Who wants to be left alone is left alone: by a keyword, by a mailbox that does not exist, until it is lifted."""

import json

import pytest

from agents.parts import WAIT_MS
from domain.cascade.rule import Step
from domain.inbound import Lift, Received, ReceivedPart, Suppress
from domain.tenant import Tenant
from schemas.rows import CallbackDue
from schemas.topics import INBOUND, PARTS, WEBHOOKS, attempts_topic
from schemas.unsubscribe import Leaving, unsubscribing
from streams.sim.egress import Behaviour
from streams.sim.lane import TENANT
from streams.sim.promises.check import check
from streams.sim.world import World
from tests.sim.test_scenarios import MAIL, MINUTE, TEXT, attempts, lane

PHONE, MAILBOX = "+4520123456", "ann@customer.example"


def said(world: World, text: str, number: int = 1) -> None:
    """The recipient writes a text to the tenant."""
    world.put(INBOUND, TENANT.tenant_id, Received(
        f"in-{number}", TENANT.tenant_id, "sms", PHONE, "1245", "", text, "telia", world.now_ms,
    ))  # fmt: skip
    world.advance(1_000)


def refused(world: World, *steps: Step) -> str:
    message_id = world.submit(*steps)
    world.advance(1_000)
    verdict = world.verdict(message_id)
    return "" if verdict.reject is None else verdict.reject.compliance_code


def test_after_stop_the_number_is_left_alone_until_start() -> None:
    world = lane(Behaviour())
    assert refused(world, TEXT) == ""
    said(world, "STOP")
    assert refused(world, TEXT) == "recipient_suppressed"
    said(world, "start", 2)
    assert refused(world, TEXT) == ""
    world.advance(MINUTE)
    check(world)


def test_other_channels_go_on_and_the_step_says_why_it_was_passed_over() -> None:
    world = lane(Behaviour())
    said(world, "Stop.")
    message_id = world.submit(TEXT, MAIL)
    world.advance(MINUTE)
    assert attempts(world, message_id) == [("sms", "skipped"), ("email", "delivered")]
    row = world.state(message_id)
    assert row is not None
    assert row.attempts[0].code == "suppressed"
    check(world)


def test_a_mailbox_that_does_not_exist_is_not_tried_again() -> None:
    world = lane(Behaviour(fail="5.1.1"), Behaviour())
    first = world.submit(MAIL, TEXT)
    world.advance(MINUTE)
    assert attempts(world, first) == [("email", "failed"), ("sms", "delivered")]
    second = world.submit(MAIL, TEXT)
    world.advance(MINUTE)
    assert attempts(world, second) == [("email", "skipped"), ("sms", "delivered")]
    check(world)


def test_a_full_mailbox_is_tried_again() -> None:
    world = lane(Behaviour(fail="5.2.2"), Behaviour())
    world.submit(MAIL, TEXT)
    world.advance(MINUTE)
    assert refused(world, MAIL) == ""


@pytest.mark.parametrize("address", ["bounced@sandbox.hermes.dev", "bounced+7@Sandbox.Hermes.DEV"])
def test_the_mailboxes_of_the_sandbox_are_never_suppressed(address: str) -> None:
    world = lane(Behaviour())
    world.put(INBOUND, TENANT.tenant_id, Suppress(TENANT.tenant_id, "email", address, "hard_bounce", world.now_ms))
    world.put(INBOUND, TENANT.tenant_id, Suppress(TENANT.tenant_id, "email", MAILBOX, "complaint", world.now_ms))
    world.put(INBOUND, TENANT.tenant_id, Lift(TENANT.tenant_id, "email", MAILBOX.upper(), world.now_ms))
    assert refused(world, MAIL) == ""


def test_what_was_decided_before_the_wish_is_told_again_as_it_was_decided() -> None:
    world = lane(Behaviour())
    said(world, "stop")
    message_id = world.submit(TEXT, MAIL, key="once")
    world.advance(MINUTE)
    said(world, "unstop", 2)
    world.submit(TEXT)
    world.advance(MINUTE)
    again = world.submit(TEXT, MAIL, key="once", message_id=message_id)
    world.advance(MINUTE)
    assert attempts(world, again) == [("sms", "skipped"), ("email", "delivered")]
    check(world)


def test_the_tenant_is_told_of_every_message_with_its_keyword() -> None:
    world = lane(Behaviour())
    said(world, "Where is my parcel?")
    assert [v for v in world.read(WEBHOOKS) if isinstance(v, CallbackDue)] == []
    world.configure(Tenant(**{f: getattr(TENANT, f) for f in TENANT.__slots__} | {"has_webhook": True}))
    said(world, "Where is my parcel?", 2)
    said(world, "HELP", 3)
    told = [json.loads(v.payload)["data"] for v in world.read(WEBHOOKS)]
    assert [(t["inbound_id"], t["from"], t["keyword"]) for t in told] == [
        ("in-2", PHONE, None),
        ("in-3", PHONE, "help"),
    ]


def part(world: World, seq: int, octets: bytes, number: int = 1, total: int = 2) -> None:
    """One part of a long text comes in."""
    world.put(PARTS, PHONE, ReceivedPart(
        f"in-{number}.{seq}", PHONE, "1245", "telia", world.now_ms, 8, 9, total, seq, octets, 8, "gsm7",
    ))  # fmt: skip
    world.advance(1_000)


def joined(world: World) -> list[tuple[str, str]]:
    return [(v.inbound_id, v.text) for v in world.read(INBOUND) if isinstance(v, Received)]


def reachable() -> World:
    """The tenant has a number."""
    world = lane(Behaviour())
    world.configure(Tenant(**{f: getattr(TENANT, f) for f in TENANT.__slots__} | {"numbers": ("1245",)}))
    return world


def test_parts_in_any_order_are_one_message_even_when_a_character_lies_across_the_cut() -> None:
    world = reachable()
    octets = "STOP".encode("utf-16-be")
    part(world, 2, octets[3:])
    assert joined(world) == []
    part(world, 1, octets[:3])
    assert joined(world) == [("in-1.1", "STOP")]
    assert refused(world, TEXT) == "recipient_suppressed"


def test_a_part_that_comes_again_tells_the_same_message_and_another_text_begins_a_new_one() -> None:
    world = reachable()
    for seq, octets in ((1, b"\0a"), (1, b"\0a"), (2, b"\0b"), (2, b"\0b")):
        part(world, seq, octets)
    assert joined(world) == [("in-1.1", "ab")] * 2
    part(world, 1, b"\0c", number=2)
    part(world, 2, b"\0d", number=2)
    assert joined(world)[2:] == [("in-2.1", "cd")]


def test_parts_that_wait_too_long_are_given_up() -> None:
    world = reachable()
    part(world, 1, b"\0a")
    world.advance(WAIT_MS)
    part(world, 2, b"\0b")
    assert joined(world) == []


def test_a_whole_message_for_nobody_is_dropped() -> None:
    world = lane(Behaviour())
    part(world, 1, b"\0a", total=1)
    assert joined(world) == []


def test_every_mail_and_no_text_offers_one_click_to_leave() -> None:
    world = lane(Behaviour())
    world.submit(MAIL)
    world.submit(TEXT)
    world.advance(1_000)
    (mail,) = world.read(attempts_topic("email", "default"))
    (text,) = world.read(attempts_topic("sms", "telia"))
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    links = unsubscribing("http://127.0.0.1:8080", b"salt")
    assert links.found_in(mail.headers["List-Unsubscribe"]) == Leaving(TENANT.tenant_id, "email", MAILBOX)
    assert text.headers == {}
