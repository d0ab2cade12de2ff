"""The cascade's rules by example: what comes late, twice, out of order, or to stop it."""

from dataclasses import replace

import pytest

from domain.cascade.commands import Announce, AnswerCancel, Resolve, SendAttempt
from domain.cascade.engine import is_retired
from domain.cascade.events import TimerFired
from domain.cascade.rule import Backoff, DeliveryWindow
from domain.cascade.states import MAX_HISTORY
from domain.delivery import ReceiptStatus
from tests.unit.domain.given import (
    HOUR,
    NOW,
    RETIRE,
    after,
    cancel,
    due,
    failed,
    plan,
    planned,
    receipt,
    sent,
    started,
    told,
)


def test_a_receipt_may_overtake_the_answer_of_its_hand_over() -> None:
    state = after(started(), receipt())

    assert state.state == "delivered"
    late = after(state, sent())
    assert (late.attempts[0].state, late.attempts[0].provider_ids) == ("delivered", ("p1",))
    assert late.charged_micros == 40_000


def test_a_late_receipt_before_the_next_hand_over_ends_the_cascade_and_cancels_the_step() -> None:
    state = after(started(plan(planned("email"), replace(planned(), not_before_ms=NOW + 2 * HOUR))), sent())
    state = after(state, due(state))
    assert state.wake == "start"
    state, commands = told(state, receipt(at_ms=NOW + HOUR))

    assert (state.state, state.confirmed_by, state.attempts[0].late) == ("delivered", 1, True)
    assert not any(isinstance(c, SendAttempt) for c in commands)
    assert told(state, TimerFired("msg-1", state.timer - 1, NOW + 2 * HOUR)) == (state, ())


def test_a_late_receipt_after_the_next_hand_over_makes_that_attempt_redundant() -> None:
    state = after(started(), sent())
    state = after(state, due(state), sent(2, NOW + 61_000), receipt(1, at_ms=NOW + 62_000))

    assert (state.state, state.confirmed_by) == ("delivered", 1)
    assert [a.redundant for a in state.attempts] == [False, True]


def test_a_receipt_after_the_end_only_annotates() -> None:
    state = after(started(), sent())
    state = after(state, due(state), sent(2, NOW + 61_000), receipt(1, at_ms=NOW + 62_000))
    later, commands = told(state, receipt(2, at_ms=NOW + 63_000))

    assert (later.state, later.confirmed_by, later.charged_micros) == ("delivered", 1, state.charged_micros)
    assert (later.attempts[1].state, later.attempts[1].redundant) == ("delivered", True)
    assert commands == (Announce(final=False),)


def test_a_receipt_after_exhaustion_does_not_bring_the_message_back() -> None:
    state = after(started(plan(planned())), sent())
    state = after(state, due(state))
    later, commands = told(state, receipt(at_ms=NOW + HOUR))

    assert (later.state, later.charged_micros, commands) == ("exhausted", 0, (Announce(final=False),))


def test_a_read_of_the_attempt_that_confirmed_is_not_late() -> None:
    state = after(started(), sent(), receipt(), receipt(status="read", at_ms=NOW + HOUR))
    assert (state.attempts[0].state, state.attempts[0].late) == ("read", False)


@pytest.mark.parametrize("status", ["delivered", "failed", "expired", "rejected"])
def test_a_lower_receipt_never_undoes_a_higher_one(status: ReceiptStatus) -> None:
    state = after(started(), sent(), receipt(status="read"))
    assert told(state, receipt(status=status, at_ms=NOW + HOUR)) == (state, ())


def test_a_stale_timer_changes_nothing() -> None:
    state = after(started(), sent())
    assert told(state, TimerFired("msg-1", state.timer - 1, NOW + 60_000)) == (state, ())


def test_a_cancellation_before_the_hand_over_ends_the_message() -> None:
    state, commands = told(started(plan(send_at_ms=NOW + HOUR)), cancel())

    assert state.state == "cancelled"
    assert [type(c) for c in commands] == [Announce, Resolve, AnswerCancel]
    assert commands[-1] == AnswerCancel("ask-1", 4, True, "")


def test_a_cancellation_between_retries_ends_the_message() -> None:
    assert after(started(), failed(), cancel()).state == "cancelled"


def test_a_cancellation_is_idempotent() -> None:
    state = after(started(plan(send_at_ms=NOW + HOUR)), cancel())
    assert told(state, cancel()) == (state, (AnswerCancel("ask-1", 4, True, ""),))


def test_a_cancellation_with_a_carrier_at_work_says_so_and_stops_what_follows() -> None:
    state, commands = told(after(started(), sent()), cancel())

    assert isinstance(commands[-1], AnswerCancel)
    assert (state.stop, commands[-1].done) == (True, False)
    assert "attempt 1 (email)" in commands[-1].reason
    assert told(state, cancel()) == (state, (commands[-1],))
    assert after(state, due(state)).state == "cancelled"
    assert after(state, failed(1), receipt(status="failed")).state == "cancelled"


def test_a_stopped_message_can_still_be_delivered() -> None:
    state = after(started(), sent(), cancel(), receipt(at_ms=NOW + 4_000))
    assert (state.state, state.charged_micros) == ("delivered", 40_000)


def test_a_final_message_cannot_be_cancelled() -> None:
    state = after(started(), sent(), receipt())
    _, commands = told(state, cancel())
    assert commands == (AnswerCancel("ask-1", 4, False, "it is already delivered"),)


def test_a_delivered_step_that_waits_to_be_read_counts_as_with_a_carrier_for_a_cancellation() -> None:
    state, commands = told(after(started(plan(confirmation="read")), sent(), receipt()), cancel())

    assert isinstance(commands[-1], AnswerCancel)
    assert (state.is_final, commands[-1].done) == (False, False)
    assert after(state, due(state)).state == "cancelled"


def test_an_unknown_hand_over_waits_for_its_receipt_and_is_not_sent_again() -> None:
    state = after(started(), sent(unknown=True, provider_ids=()))

    assert (state.state, state.attempts[0].unknown) == ("waiting_confirmation", True)
    assert told(state, failed(1, NOW + 5_000)) == (state, ())


def test_a_failure_told_after_the_timeout_is_noted_once() -> None:
    state = after(started(), sent())
    state = after(state, due(state), failed(1, NOW + 61_000, code=""))
    assert told(state, failed(1, NOW + 61_000, code="")) == (state, ())


def test_the_failing_receipts_of_two_segments_are_noted_once_however_often_they_come() -> None:
    state = after(started(), sent())
    state = after(state, due(state), receipt(1, "failed", NOW + 61_000), receipt(1, "failed", NOW + 62_000))
    assert told(state, receipt(1, "failed", NOW + 61_000)) == (state, ())


def test_the_newest_line_stays_in_the_history_of_a_long_story() -> None:
    steps = tuple(planned(max_retries=10, timeout_ms=HOUR, backoff=Backoff("fixed", 1_000, 1_000)) for _ in range(10))
    state = started(plan(*steps))
    at = NOW
    while not state.is_final:
        if state.wake == "retry":
            at = state.wake_at_ms
            state = after(state, due(state))
        at += 10
        state = after(state, failed(len(state.attempts), at))
    assert len(state.attempts) == 110
    assert len(state.history) == MAX_HISTORY
    assert state.history[-1].event == "exhausted"


def test_a_final_state_is_retired_by_its_own_timer_only() -> None:
    state = after(started(), sent(), receipt())

    assert state.wake_at_ms == NOW + 2_000 + RETIRE
    assert is_retired(state, due(state))
    assert not is_retired(state, TimerFired("msg-1", state.timer - 1, state.wake_at_ms))
    assert told(state, due(state)) == (state, ())


def test_a_retry_waits_for_the_delivery_window_too() -> None:
    window = DeliveryWindow(11 * 60, 12 * 60 + 1, "UTC")
    step = planned(window=window, timeout_ms=48 * HOUR, backoff=Backoff("fixed", 120_000, 120_000))
    state = after(started(plan(step, max_duration_ms=48 * HOUR)), failed())
    state, commands = told(state, due(state))

    assert not any(isinstance(c, SendAttempt) for c in commands)
    assert state.wake_at_ms == NOW + 23 * HOUR
