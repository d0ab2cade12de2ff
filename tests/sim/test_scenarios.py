"""What the product promises about one message, told as scenarios of a whole lane in virtual time."""

from dataclasses import replace

import pytest

from domain.cascade.rule import Backoff, DeliveryWindow, Step
from domain.delivery import AttemptDue
from domain.message import Recipient
from domain.tenant import QuietHours
from schemas.topics import BILLING, CASCADE, DLQ, LEDGER, STATUS, SUBMISSIONS, Topic
from streams.sim.egress import Behaviour
from streams.sim.lane import CODEC, START_MS, TENANT, request
from streams.sim.promises.check import check
from streams.sim.world import World

MINUTE, HOUR = 60_000, 3_600_000
MAIL, TEXT = Step("email", MINUTE), Step("sms", MINUTE)
SMS_MICROS, MAIL_MICROS = 30_000, 1_000


def lane(*behaviours: Behaviour) -> World:
    """A lane whose attempts, in the order in which they go out, meet these peers; the last stays."""
    coming = list(behaviours)
    return World(behave=lambda _: coming.pop(0) if len(coming) > 1 else coming[0])


def attempts(world: World, message_id: str) -> list[tuple[str, str]]:
    """Channel and state of each attempt of a message."""
    row = world.state(message_id)
    assert row is not None
    return [(a.channel, a.state) for a in row.attempts]


def events(world: World, message_id: str) -> list[str]:
    row = world.state(message_id)
    assert row is not None
    return [entry.event for entry in row.history]


def ended(world: World, message_id: str, state: str, charged_micros: int) -> None:
    """The message is in this final state at this price, and every promise holds."""
    row = world.state(message_id)
    assert row is not None
    assert (row.state, row.charged_micros) == (state, charged_micros)
    check(world)


# --- the rules of a cascade ---


def test_a_message_that_its_first_step_delivers_takes_no_other() -> None:
    world = lane(Behaviour())
    message_id = world.submit(TEXT, MAIL)
    world.advance(MINUTE)
    assert attempts(world, message_id) == [("sms", "delivered")]
    ended(world, message_id, "delivered", SMS_MICROS)


def test_a_permanent_failure_ends_its_step_at_once() -> None:
    world = lane(Behaviour(fail="5.1.1"), Behaviour())
    message_id = world.submit(MAIL, TEXT)
    world.advance(1_000)
    assert attempts(world, message_id) == [("email", "failed"), ("sms", "delivered")]
    ended(world, message_id, "delivered", SMS_MICROS)


def test_a_temporary_failure_is_retried_with_growing_pauses_and_then_the_next_step_comes() -> None:
    world = lane(*[Behaviour(fail="busy", permanent=False)] * 3, Behaviour())
    message_id = world.submit(replace(MAIL, max_retries=2, backoff=Backoff("exponential", 1_000, 60_000)), TEXT)
    world.advance(MINUTE)
    row = world.state(message_id)
    assert row is not None
    started = [a.started_at_ms - START_MS for a in row.attempts]
    assert started == [0, 1_005, 3_010, 3_015]
    assert attempts(world, message_id) == [("email", "failed")] * 3 + [("sms", "delivered")]
    ended(world, message_id, "delivered", SMS_MICROS)


def test_a_confirmation_that_does_not_come_in_time_leads_to_the_next_step() -> None:
    world = lane(Behaviour(receipt=None), Behaviour())
    message_id = world.submit(replace(TEXT, timeout_ms=5_000), MAIL)
    world.advance(MINUTE)
    assert attempts(world, message_id) == [("sms", "timed_out"), ("email", "delivered")]
    ended(world, message_id, "delivered", MAIL_MICROS)


def test_a_receipt_that_comes_late_confirms_its_own_step_and_the_later_one_is_redundant() -> None:
    world = lane(Behaviour(receipt_after_ms=7_000), Behaviour(receipt_after_ms=30_000))
    message_id = world.submit(replace(TEXT, timeout_ms=5_000), MAIL)
    world.advance(MINUTE)
    row = world.state(message_id)
    assert row is not None
    assert (row.confirmed_by, row.attempts[0].late, row.attempts[1].redundant) == (1, True, True)
    ended(world, message_id, "delivered", SMS_MICROS)


def test_a_receipt_that_says_undelivered_leads_to_the_next_step() -> None:
    world = lane(Behaviour(receipt="failed"), Behaviour())
    message_id = world.submit(TEXT, MAIL)
    world.advance(MINUTE)
    assert attempts(world, message_id) == [("sms", "failed"), ("email", "delivered")]
    ended(world, message_id, "delivered", MAIL_MICROS)


def test_a_receipt_may_overtake_the_answer_to_its_submit() -> None:
    world = lane(Behaviour(receipt_first=True, answer_after_ms=500))
    message_id = world.submit(TEXT)
    world.advance(MINUTE)
    row = world.state(message_id)
    assert row is not None
    assert row.attempts[0].provider_ids == (f"id-{message_id}-1",)
    ended(world, message_id, "delivered", SMS_MICROS)


def test_a_message_that_reaches_nobody_is_exhausted_free_and_on_the_dead_letter_queue() -> None:
    world = lane(Behaviour(fail="5.1.1"), Behaviour(receipt="rejected"))
    message_id = world.submit(MAIL, TEXT)
    world.advance(MINUTE)
    (dead,) = world.read(DLQ)
    assert (dead.message_id, len(dead.cascade.attempts)) == (message_id, 2)
    ended(world, message_id, "exhausted", 0)


def test_a_message_ends_when_its_longest_duration_is_over() -> None:
    world = lane(Behaviour(receipt=None))
    wanted = replace(request(TEXT, MAIL, MAIL), max_duration_ms=90_000)
    message_id = world.submit(request=wanted)
    world.advance(2 * MINUTE)
    assert len(attempts(world, message_id)) == 2
    ended(world, message_id, "expired", 0)


def test_a_step_without_an_address_is_passed_with_its_reason() -> None:
    world = lane(Behaviour())
    wanted = replace(request(TEXT, MAIL), to=Recipient("email", email="ann@customer.example"))
    message_id = world.submit(request=wanted)
    world.advance(MINUTE)
    assert attempts(world, message_id) == [("sms", "skipped"), ("email", "delivered")]
    ended(world, message_id, "delivered", MAIL_MICROS)


def test_a_step_waits_for_its_delivery_window() -> None:
    """START_MS is a Monday, 14:13 in UTC, so 16:13 in Copenhagen."""
    world = lane(Behaviour())
    message_id = world.submit(replace(TEXT, window=DeliveryWindow(17 * 60, 18 * 60, "Europe/Copenhagen")))
    world.advance(40 * MINUTE)
    assert attempts(world, message_id) == []
    world.advance(10 * MINUTE)
    assert attempts(world, message_id) == [("sms", "delivered")]
    ended(world, message_id, "delivered", SMS_MICROS)


def test_quiet_hours_put_a_text_message_off_to_their_end() -> None:
    world = lane(Behaviour())
    world.configure(replace(TENANT, quiet_hours=QuietHours(14 * 60, 15 * 60)))
    message_id = world.submit(TEXT)
    world.advance(10 * MINUTE)
    assert attempts(world, message_id) == []
    world.advance(HOUR)
    assert attempts(world, message_id) == [("sms", "delivered")]
    ended(world, message_id, "delivered", SMS_MICROS)


def test_a_tenant_that_pays_for_sending_pays_for_what_no_receipt_confirmed() -> None:
    world = lane(Behaviour(receipt=None))
    world.configure(replace(TENANT, charge_on="sent"))
    message_id = world.submit(replace(TEXT, timeout_ms=5_000))
    world.advance(MINUTE)
    ended(world, message_id, "exhausted", SMS_MICROS)


# --- schedule, cancel, duplicates, retirement ---


def test_a_scheduled_message_begins_at_its_time() -> None:
    world = lane(Behaviour())
    message_id = world.submit(request=replace(request(TEXT), send_at_ms=START_MS + HOUR))
    world.advance(HOUR - 1)
    assert attempts(world, message_id) == []
    world.advance(MINUTE)
    row = world.state(message_id)
    assert row is not None
    assert row.attempts[0].started_at_ms == START_MS + HOUR
    ended(world, message_id, "delivered", SMS_MICROS)


def test_a_cancelled_schedule_sends_nothing_and_gives_the_money_back() -> None:
    world = lane(Behaviour())
    message_id = world.submit(request=replace(request(TEXT), send_at_ms=START_MS + HOUR))
    world.advance(MINUTE)
    world.cancel(message_id)
    world.advance(2 * HOUR - 2 * MINUTE)
    assert world.told(f"ask-{message_id}").done
    assert not world.egress.taken
    assert [c.event for c in world.read(STATUS) if c.final] == ["cancelled"]


def test_a_cancellation_stops_what_follows_the_attempt_that_a_carrier_has() -> None:
    world = lane(Behaviour(receipt=None))
    message_id = world.submit(replace(TEXT, timeout_ms=5_000), MAIL)
    world.advance(1_000)
    world.cancel(message_id)
    world.advance(MINUTE)
    assert not world.told(f"ask-{message_id}").done
    assert attempts(world, message_id) == [("sms", "timed_out")]
    ended(world, message_id, "cancelled", 0)


def test_a_repeated_key_is_the_same_message_and_a_new_body_under_it_is_refused() -> None:
    world = lane(Behaviour())
    first = world.submit(TEXT, key="order-1")
    again = world.submit(TEXT, key="order-1")
    other = world.submit(MAIL, key="order-1", fingerprint=b"another")
    world.advance(MINUTE)
    verdict = world.verdict(again)
    assert (verdict.message_id, verdict.replayed, verdict.reject) == (first, True, None)
    refused = world.verdict(other).reject
    assert refused is not None
    assert (refused.layer, refused.code) == (0, "idempotency_key_reused")
    assert sum(world.egress.taken.values()) == 1
    ended(world, first, "delivered", SMS_MICROS)


def test_a_final_message_leaves_the_live_table_after_its_time_with_its_timer() -> None:
    world = lane(Behaviour())
    message_id = world.submit(TEXT)
    world.advance(MINUTE)
    assert world.state(message_id) is not None
    world.advance(HOUR)
    assert world.state(message_id) is None
    assert sum(p.pending for p in world.driver.engine.partitions.values()) == 0
    check(world)


@pytest.mark.parametrize("topic", [SUBMISSIONS, CASCADE, BILLING], ids=lambda t: t.name)
def test_records_that_are_done_again_from_the_beginning_change_nothing(topic: Topic) -> None:
    world = lane(Behaviour(fail="5.1.1"), Behaviour())
    message_id = world.submit(MAIL, TEXT)
    world.advance(MINUTE)
    before, account = world.state(message_id), world.account()
    world.rewind(topic)
    world.advance(1_000)
    assert (world.state(message_id), world.account()) == (before, account)
    assert len({e.entry_id for e in world.read(LEDGER)}) == 3
    check(world)


def test_each_attempt_that_goes_out_carries_all_that_its_egress_needs() -> None:
    seen: list[AttemptDue] = []

    def behave(due: AttemptDue) -> Behaviour:
        seen.append(due)
        return Behaviour()

    world = World(behave=behave)
    message_id = world.submit(TEXT)
    world.advance(MINUTE)
    (due,) = seen
    assert (due.message_id, due.address, due.sender, due.carrier) == (message_id, "+4520123456", "Acme", "telia")
    assert (due.text, due.price_micros, due.trace_id) == ("Your parcel is here", SMS_MICROS, "trace-1")
    assert due.expires_at_ms == START_MS + MINUTE
    assert CODEC.decode(CODEC.encode(due)) == due


def test_an_attempt_that_our_own_limits_held_back_does_not_count_as_a_try() -> None:
    held_back = Behaviour(fail="4.4.5", permanent=False, untried=True)
    world = lane(*[held_back] * 6, Behaviour())
    message_id = world.submit(replace(TEXT, max_retries=1, backoff=Backoff("fixed", 1_000, 1_000)))
    world.advance(MINUTE)
    assert attempts(world, message_id) == [("sms", "failed")] * 6 + [("sms", "delivered")]
    ended(world, message_id, "delivered", SMS_MICROS)
