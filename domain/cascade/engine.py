"""Decide what follows from what happened: `decide(state, event) -> (state, commands)`, total and repeatable.

The rules, in words:
- A step begins when its time has come (schedule, quiet hours, delivery window); a step with `skip` is recorded and passed.
- A permanent failure ends the step at once, a temporary one is retried with back-off within the step's time-out.
- The time-out runs from the hand-over to the egress, and anew from the moment the carrier took the attempt.
- A receipt that reaches the confirmation level ends the cascade, whichever attempt it belongs to. If a later attempt was
  already handed over, it is recorded as redundant; if it was not, it never goes out.
- A lower or older receipt never undoes a higher one. After a final state everything only annotates.
- Late, repeated and stale events answer `(state, ())`: doing a record again is harmless.
"""

from typing import assert_never

from domain.accepted import Message
from domain.cascade.commands import Announce, AnswerCancel, LeaveAlone
from domain.cascade.events import AttemptFailed, AttemptSent, CancelAsked, Happening, ReceiptArrived, TimerFired
from domain.cascade.moves import (
    LEVEL,
    RANK,
    Decision,
    after_failure,
    attempt_of,
    confirms,
    deliver,
    enter,
    finish,
    in_hand,
    next_step,
    note,
    retry,
    wake_at,
    with_attempt,
)
from domain.cascade.states import AttemptState, Cascade
from domain.evolve import evolve


def begin(message: Message, retire_after_ms: int) -> Decision:
    """The first state of an accepted message, and what is to be done at once."""
    plan, at = message.plan, message.created_at_ms
    state = Cascade(
        message.message_id, message.tenant_id, plan, message.reserved_micros, at,
        max(at, plan.send_at_ms) + plan.max_duration_ms, message.trace_id, updated_at_ms=at,
        callback=message.callback,
        protocol=message.protocol, recipient_hash=message.recipient_hash, reference=message.reference,
    )  # fmt: skip
    state = note(state, at, "accepted", 0, "")
    if plan.send_at_ms > at:
        state = note(state, at, "scheduled", 0, "")
        return wake_at(state, "start", plan.send_at_ms, state="scheduled"), (Announce(final=False),)
    return enter(state, 0, at, retire_after_ms)


NO_MAILBOX: frozenset[str] = frozenset({"5.1.1", "5.1.3", "5.1.6", "5.1.10"})
"""Enhanced status codes of a mailbox that does not exist, has moved, or takes no mail at all (RFC 3463, RFC 7505)."""


def decide(state: Cascade, event: Happening, retire_after_ms: int) -> Decision:
    """What `event` makes of `state`, and what is to be done. A final state is kept for `retire_after_ms`."""
    after, commands = _follow(state, event, retire_after_ms)
    if after is not state and isinstance(event, AttemptFailed | ReceiptArrived) and event.code in NO_MAILBOX:
        attempt = after.attempts[event.attempt - 1]
        if attempt.channel == "email" and attempt.state in ("failed", "timed_out"):
            commands = (*commands, LeaveAlone(attempt.step, event.at_ms))
    return after, commands


def _follow(state: Cascade, event: Happening, retire: int) -> Decision:
    match event:
        case AttemptSent():
            return _sent(state, event, retire)
        case AttemptFailed():
            return _failed(state, event, retire)
        case ReceiptArrived():
            return _receipt(state, event, retire)
        case TimerFired():
            return _fired(state, event, retire)
        case CancelAsked():
            return _cancel(state, event, retire)
        case _ as unreachable:
            assert_never(unreachable)


def is_retired(state: Cascade, event: Happening) -> bool:
    """Whether `event` says that a final state has been kept long enough."""
    return isinstance(event, TimerFired) and state.wake == "retire" and event.timer == state.timer


def _sent(state: Cascade, event: AttemptSent, retire: int) -> Decision:
    attempt = attempt_of(state, event.attempt)
    if attempt is None or attempt.provider_ids or attempt.unknown or attempt.state in ("sent", "skipped"):
        return state, ()
    if attempt.state not in ("pending", "timed_out"):  # a receipt overtook the answer: keep its word
        if not event.provider_ids:
            return state, ()
        attempts = with_attempt(state, evolve(attempt, provider_ids=event.provider_ids))
        detail = event.detail or event.carrier
        return note(state, event.at_ms, "sent", attempt.number, detail, attempts=attempts), (Announce(final=False),)
    level: AttemptState = event.level
    known = evolve(
        attempt, carrier=event.carrier, provider_ids=event.provider_ids, segments=event.segments, unknown=event.unknown,
        price_micros=event.price_micros, cost_micros=event.cost_micros,
        state=level, completed_at_ms=event.at_ms if level != "sent" else 0, late=attempt.state == "timed_out",
        redundant=state.is_final and state.confirmed_by not in (0, attempt.number),
    )  # fmt: skip
    what = "unknown" if event.unknown else ("delivered" if level == "delivered" else "sent")
    attempts = with_attempt(state, known)
    state = note(state, event.at_ms, what, attempt.number, event.detail or event.carrier, attempts=attempts)
    if state.is_final:
        return state, (Announce(final=False),)
    if confirms(state, level):
        return deliver(state, known, event.at_ms, retire)
    if state.current is None or state.current.number != attempt.number:
        return state, (Announce(final=False),)
    until = min(event.at_ms + state.plan.steps[state.step].step.timeout_ms, state.deadline_ms)
    return wake_at(state, "timeout", until, state="waiting_confirmation"), (Announce(final=False),)


def _failed(state: Cascade, event: AttemptFailed, retire: int) -> Decision:
    attempt = attempt_of(state, event.attempt)
    if attempt is None or attempt.state not in ("pending", "timed_out") or attempt.code:
        return state, ()
    timed_out = attempt.state == "timed_out"
    known = evolve(
        attempt, state="timed_out" if timed_out else "failed", carrier=event.carrier or attempt.carrier,
        code=event.code or "failed",
        detail=event.detail, completed_at_ms=event.at_ms,
    )  # fmt: skip
    detail = f"{event.code} {event.detail}".strip()
    state = note(state, event.at_ms, "failed", attempt.number, detail, attempts=with_attempt(state, known))
    if state.is_final or timed_out or state.step != attempt.step:
        return state, (Announce(final=False),)
    return after_failure(state, event.at_ms, event.permanent, event.retry_after_ms, retire, untried=event.untried)


def _receipt(state: Cascade, event: ReceiptArrived, retire: int) -> Decision:
    attempt = attempt_of(state, event.attempt)
    if attempt is None or attempt.state == "skipped":
        return state, ()
    told: AttemptState = "sent"
    match event.status:
        case "delivered" | "read":
            told = event.status
        case "failed" | "expired" | "rejected":
            told = "failed"
        case "enroute" | "accepted" | "unknown":
            return state, ()
        case _ as unreachable:
            assert_never(unreachable)
    undone = told == "failed" and (
        RANK[attempt.state] >= LEVEL["delivered"]
        or attempt.state == "failed"
        or (attempt.state == "timed_out" and attempt.code)
    )
    if undone or (told != "failed" and RANK[told] <= RANK[attempt.state]):
        return state, ()
    current = state.current is not None and state.current.number == attempt.number and not state.is_final
    known = evolve(
        attempt, state="timed_out" if told == "failed" and attempt.state == "timed_out" else told,
        late=attempt.late or attempt.state in ("timed_out", "failed") or attempt.step != state.step,
        code=(event.code or event.status) if told == "failed" else attempt.code, completed_at_ms=event.at_ms,
    )  # fmt: skip
    if event.carrier:  # a bounce that comes back as a mail knows neither its route nor its price
        known = evolve(
            known, carrier=event.carrier, segments=event.segments,
            price_micros=event.price_micros, cost_micros=event.cost_micros,
        )  # fmt: skip
    if known == attempt:
        return state, ()
    if state.is_final:
        known = evolve(known, redundant=state.confirmed_by not in (0, attempt.number))
    detail = f"{event.status} {event.code}".strip()
    state = note(state, event.at_ms, "receipt", attempt.number, detail, attempts=with_attempt(state, known))
    if state.is_final:
        return state, (Announce(final=False),)
    if told != "failed" and confirms(state, told):
        return deliver(state, known, event.at_ms, retire)
    if told == "failed" and current:
        return after_failure(state, event.at_ms, True, 0, retire)
    return state, (Announce(final=False),)


def _fired(state: Cascade, event: TimerFired, retire: int) -> Decision:
    if event.timer != state.timer or state.is_final:
        return state, ()
    at = event.at_ms
    match state.wake:
        case "none" | "retire":
            return state, ()
        case "start":
            return enter(state, state.step, at, retire)
        case "retry":
            if at >= state.deadline_ms:
                return finish(state, "expired", at, retire)
            return retry(state, at, retire)
        case "timeout":
            current = state.current
            if current is not None:
                attempts = with_attempt(state, evolve(current, state="timed_out", completed_at_ms=at))
                state = note(state, at, "timed_out", current.number, "", attempts=attempts)
            return next_step(state, at, retire)
        case _ as unreachable:
            assert_never(unreachable)


def _cancel(state: Cascade, event: CancelAsked, retire: int) -> Decision:
    def answer(done: bool, reason: str) -> AnswerCancel:
        return AnswerCancel(event.ask_id, event.slot, done, reason)

    if state.is_final:
        return state, (
            answer(state.state == "cancelled", "" if state.state == "cancelled" else f"it is already {state.state}"),
        )
    current = in_hand(state)
    if current is None:
        state, commands = finish(state, "cancelled", event.at_ms, retire)
        return state, (*commands, answer(True, ""))
    reason = f"attempt {current.number} ({current.channel}) is with a carrier; nothing will follow it"
    if state.stop:
        return state, (answer(False, reason),)
    state = note(state, event.at_ms, "cancel_asked", current.number, "", stop=True)
    return state, (Announce(final=False), answer(False, reason))
