"""The cascade's rules by example: each test is one sentence of the rules."""

from dataclasses import replace

import pytest

from domain.cascade.commands import Announce, DeadLetter, Resolve, SendAttempt
from domain.cascade.engine import begin
from domain.cascade.rule import Backoff, BackoffType, DeliveryWindow
from domain.delivery import ReceiptStatus
from tests.unit.domain.given import (
    HOUR,
    NOW,
    RETIRE,
    after,
    due,
    failed,
    message,
    plan,
    planned,
    receipt,
    sent,
    started,
    told,
)


def test_the_first_step_is_handed_over_at_once() -> None:
    state, commands = begin(message(plan()), RETIRE)

    assert commands == (SendAttempt(1, 0, "email", NOW, NOW + 60_000), Announce(final=False))
    assert (state.state, state.wake, state.wake_at_ms) == ("attempting", "timeout", NOW + 60_000)


def test_a_message_for_later_waits_until_its_time() -> None:
    state, commands = begin(message(plan(send_at_ms=NOW + HOUR)), RETIRE)

    assert commands == (Announce(final=False),)
    assert (state.state, state.wake, state.wake_at_ms) == ("scheduled", "start", NOW + HOUR)
    assert state.deadline_ms == NOW + 25 * HOUR
    state, commands = told(state, due(state))
    assert commands[0] == SendAttempt(1, 0, "email", NOW + HOUR, NOW + HOUR + 60_000)


def test_a_skipped_step_is_recorded_and_passed() -> None:
    state = started(plan(planned("email", skip="no_address"), planned("sms")))

    assert [(a.state, a.code) for a in state.attempts] == [("skipped", "no_address"), ("pending", "")]
    assert state.step == 1


def test_a_plan_of_skipped_steps_only_is_exhausted_at_once_and_costs_nothing() -> None:
    state, commands = begin(message(plan(planned(skip="no_route")), reserved_micros=5), RETIRE)

    assert state.state == "exhausted"
    assert [type(c) for c in commands] == [Announce, Resolve, DeadLetter]
    assert state.charged_micros == 0


def test_a_step_waits_for_its_delivery_window_and_its_timeout_starts_when_it_is_sent() -> None:
    window = DeliveryWindow(14 * 60, 16 * 60, "UTC")
    state, commands = begin(message(plan(planned(window=window))), RETIRE)

    assert (state.state, state.wake_at_ms, commands) == ("scheduled", NOW + 2 * HOUR, (Announce(final=False),))
    state, commands = told(state, due(state))
    assert commands[0] == SendAttempt(1, 0, "sms", NOW + 2 * HOUR, NOW + 2 * HOUR + 60_000)


def test_a_step_waits_for_the_end_of_quiet_hours() -> None:
    state = started(plan(replace(planned(), not_before_ms=NOW + HOUR)))

    assert (state.state, state.wake, state.wake_at_ms) == ("scheduled", "start", NOW + HOUR)


def test_a_window_that_opens_after_the_deadline_expires_the_message() -> None:
    state = started(plan(replace(planned(), not_before_ms=NOW + 30 * HOUR)))
    state, commands = told(state, due(state))

    assert (state.state, state.updated_at_ms) == ("expired", NOW + 24 * HOUR)
    assert DeadLetter() in commands


def test_sent_waits_for_a_confirmation_for_the_whole_timeout_anew() -> None:
    state = after(started(), sent(at_ms=NOW + 500))

    assert (state.state, state.wake_at_ms) == ("waiting_confirmation", NOW + 500 + 60_000)


def test_sent_is_enough_when_sent_is_what_was_asked_for() -> None:
    state, commands = told(started(plan(confirmation="sent")), sent())

    assert state.state == "delivered"
    assert commands[0] == Announce(final=True)


def test_a_hand_over_that_is_a_delivery_ends_the_cascade() -> None:
    assert after(started(), sent(level="delivered")).state == "delivered"


def test_delivered_is_not_enough_when_read_is_asked_for() -> None:
    state = after(started(plan(confirmation="read")), sent(), receipt())

    assert not state.is_final
    assert after(state, receipt(status="read")).state == "delivered"


def test_a_delivery_is_charged_once_at_the_price_of_its_route() -> None:
    state, commands = told(after(started(), sent()), receipt())
    (settle,) = [c.settle for c in commands if isinstance(c, Resolve)]

    assert (settle.charge_micros, settle.reserved_micros, settle.carrier) == (40_000, 50_000, "c1")
    assert state.charged_micros == 40_000


def test_a_charge_never_exceeds_what_was_reserved() -> None:
    assert after(started(), sent(), receipt(price=99_000_000)).charged_micros == 50_000


def test_a_permanent_failure_goes_on_to_the_next_step_at_once() -> None:
    state, commands = told(started(), failed(permanent=True))

    assert commands[0] == SendAttempt(2, 1, "sms", NOW + 100, NOW + 60_100)
    assert state.attempts[0].state == "failed"


@pytest.mark.parametrize(
    ("kind", "waits"),
    [
        ("fixed", [1_000, 1_000, 1_000]),
        ("linear", [1_000, 1_700, 2_400]),
        ("exponential", [1_000, 2_000, 4_000]),
    ],
)
def test_a_temporary_failure_is_retried_with_back_off(kind: BackoffType, waits: list[int]) -> None:
    state = started(plan(planned(backoff=Backoff(kind, 1_000, 60_000, 700))))
    seen = []
    at = NOW
    for attempt in (1, 2, 3):
        at += 100
        state = after(state, failed(attempt, at))
        seen.append(state.wake_at_ms - at)
        assert state.wake == "retry"
        at = state.wake_at_ms
        state = after(state, due(state))
    assert seen == waits
    assert after(state, failed(4, at + 100)).state == "exhausted"


def test_a_back_off_is_capped() -> None:
    state = after(started(plan(planned(backoff=Backoff("exponential", 8_000, 9_000)))), failed(1))
    state = after(after(state, due(state)), failed(2, NOW + 10_000))
    assert state.wake_at_ms == NOW + 19_000


def test_the_carriers_wish_makes_the_back_off_longer() -> None:
    assert after(started(), failed(retry_after_ms=7_000)).wake_at_ms == NOW + 7_100


def test_a_retry_that_would_come_after_the_steps_timeout_is_the_next_step() -> None:
    assert after(started(), failed(retry_after_ms=60_000)).step == 1


def test_the_timeout_goes_on_to_the_next_step() -> None:
    waiting = after(started(), sent())
    state, commands = told(waiting, due(waiting))

    assert state.attempts[0].state == "timed_out"
    assert isinstance(commands[0], SendAttempt)
    assert commands[0].step == 1


def test_the_last_timeout_exhausts_and_releases_everything() -> None:
    state = after(started(plan(planned())), sent())
    state, commands = told(state, due(state))
    (settle,) = [c.settle for c in commands if isinstance(c, Resolve)]

    assert (state.state, settle.charge_micros, settle.cost_micros) == ("exhausted", 0, 20_000)
    assert commands[-1] == DeadLetter()


def test_who_charges_for_sending_is_paid_for_an_exhausted_message() -> None:
    state = after(started(plan(planned(), charge_on="sent")), sent())
    assert after(state, due(state)).charged_micros == 40_000


def test_the_deadline_expires_the_message() -> None:
    state = after(started(plan(planned(), planned(), max_duration_ms=30_000)), sent())

    assert state.wake_at_ms == NOW + 30_000
    assert after(state, due(state)).state == "expired"


def test_a_failing_receipt_is_a_permanent_failure() -> None:
    state = after(started(), sent(), receipt(status="rejected", code="8"))

    assert (state.step, state.attempts[0].state, state.attempts[0].code) == (1, "failed", "8")


@pytest.mark.parametrize("status", ["enroute", "accepted", "unknown"])
def test_a_receipt_that_decides_nothing_changes_nothing(status: ReceiptStatus) -> None:
    state = after(started(), sent())
    assert told(state, receipt(status=status)) == (state, ())
