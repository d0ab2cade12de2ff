"""The moves of a cascade: enter a step, send, retry, go on, deliver, finish. `engine` says which event makes which."""

from typing import Any

from domain.billing.money import Settle
from domain.cascade.commands import Announce, Command, DeadLetter, Resolve, SendAttempt
from domain.cascade.rule import ConfirmationLevel, backoff_ms
from domain.cascade.states import MAX_HISTORY, Attempt, AttemptState, Cascade, Entry, StateName, Wake
from domain.compliance.hours import next_opening_ms
from domain.evolve import evolve

Decision = tuple[Cascade, tuple[Command, ...]]

RANK: dict[AttemptState, int] = {
    "skipped": 0,
    "pending": 0,
    "failed": 0,
    "timed_out": 0,
    "sent": 1,
    "delivered": 2,
    "read": 3,
}
LEVEL: dict[ConfirmationLevel, int] = {"sent": 1, "delivered": 2, "read": 3}


def enter(state: Cascade, index: int, at: int, retire: int) -> Decision:
    """Begin step `index`, or the first after it that is not skipped, or end."""
    steps = state.plan.steps
    while index < len(steps) and steps[index].skip:
        skipped = Attempt(
            len(state.attempts) + 1,
            index,
            steps[index].step.channel,
            "skipped",
            at,
            code=steps[index].skip,
            completed_at_ms=at,
        )
        attempts = (*state.attempts, skipped)
        state = note(state, at, "skipped", skipped.number, skipped.code, attempts=attempts)
        index += 1
    if at >= state.deadline_ms:
        return finish(state, "expired", at, retire)
    if index == len(steps):
        return finish(state, "exhausted", at, retire)
    planned = steps[index]
    opens = next_opening_ms(max(at, planned.not_before_ms), planned.step.window, planned.timezone)
    if opens > at:
        state = note(state, at, "deferred", 0, f"step {index + 1} ({planned.step.channel})", step=index, retries=0)
        until = min(opens, state.deadline_ms)
        return wake_at(state, "start", until, state="scheduled"), (Announce(final=False),)
    return send(evolve(state, step=index, retries=0, step_deadline_ms=at + planned.step.timeout_ms), at)


def send(state: Cascade, at: int) -> Decision:
    """Hand the current step over as a new attempt."""
    step = state.plan.steps[state.step].step
    attempt = Attempt(len(state.attempts) + 1, state.step, step.channel, "pending", at)
    until = min(state.step_deadline_ms, state.deadline_ms)
    state = note(state, at, "attempting", attempt.number, step.channel, attempts=(*state.attempts, attempt))
    state = wake_at(state, "timeout", until, state="attempting")
    return state, (SendAttempt(attempt.number, state.step, step.channel, at, until), Announce(final=False))


def after_failure(
    state: Cascade, at: int, permanent: bool, retry_after_ms: int, retire: int, *, untried: bool = False
) -> Decision:
    """Retry the step if it may be, or go on; what was not tried may always be tried again, within the step's time."""
    step = state.plan.steps[state.step].step
    if not permanent and not state.stop and (untried or state.retries < step.max_retries):
        again = at + max(backoff_ms(step.backoff, state.retries + 1), retry_after_ms)
        if again < min(state.step_deadline_ms, state.deadline_ms):
            state = note(state, at, "retrying", 0, f"in {again - at}ms", retries=state.retries + (not untried))
            return wake_at(state, "retry", again, state="attempting"), (Announce(final=False),)
    return next_step(state, at, retire)


def retry(state: Cascade, at: int, retire: int) -> Decision:
    """Send the current step again, at the next opening if its window has closed; what would come too late goes on."""
    if state.stop:
        return finish(state, "cancelled", at, retire)
    planned = state.plan.steps[state.step]
    opens = next_opening_ms(at, planned.step.window, planned.timezone)
    if opens == at:
        return send(state, at)
    if opens >= min(state.step_deadline_ms, state.deadline_ms):
        return next_step(state, at, retire)
    state = note(state, at, "deferred", 0, f"step {state.step + 1} ({planned.step.channel})")
    return wake_at(state, "retry", opens, state="scheduled"), (Announce(final=False),)


def next_step(state: Cascade, at: int, retire: int) -> Decision:
    """Go on to the next step, or stop if that was asked for."""
    if state.stop:
        return finish(state, "cancelled", at, retire)
    return enter(state, state.step + 1, at, retire)


def deliver(state: Cascade, by: Attempt, at: int, retire: int) -> Decision:
    """End as delivered by attempt `by`."""
    current = state.current
    if current is not None and current.number != by.number:
        state = evolve(state, attempts=with_attempt(state, evolve(current, redundant=True)))
    return finish(evolve(state, confirmed_by=by.number), "delivered", at, retire)


def finish(state: Cascade, final: StateName, at: int, retire: int) -> Decision:
    """End in `final`: settle the money, say so, and keep the state for a while."""
    payer = _payer(state)
    charge = min(payer.price_micros, state.reserved_micros) if payer else 0
    state = note(state, at, final, state.confirmed_by, "", charged_micros=charge)
    settle = Settle(
        state.tenant_id, state.message_id, state.reserved_micros, charge, at,
        payer.channel if payer else "", payer.carrier if payer else "", payer.segments if payer else 0,
        sum(a.cost_micros for a in state.attempts),
    )  # fmt: skip
    commands: tuple[Command, ...] = (Announce(final=True), Resolve(settle))
    if final in ("exhausted", "expired"):
        commands = (*commands, DeadLetter())
    return wake_at(state, "retire", at + retire, state=final), commands


def _payer(state: Cascade) -> Attempt | None:
    """The attempt that is charged: the one that confirmed, or the first that was sent when sending is what is charged."""
    if state.confirmed_by:
        return attempt_of(state, state.confirmed_by)
    if state.plan.charge_on == "sent":
        return next((a for a in state.attempts if a.carrier and (a.provider_ids or a.unknown or RANK[a.state])), None)
    return None


def confirms(state: Cascade, reached: AttemptState) -> bool:
    """Whether `reached` is what the tenant asked for."""
    return RANK[reached] >= LEVEL[state.plan.confirmation]


def in_hand(state: Cascade) -> Attempt | None:
    """The attempt of the current step that a carrier has, or has delivered short of the level asked for; None otherwise."""
    last = state.attempts[-1] if state.attempts else None
    return last if last and last.step == state.step and last.state in ("pending", "sent", "delivered") else None


def attempt_of(state: Cascade, number: int) -> Attempt | None:
    """Attempt `number`, or None."""
    return state.attempts[number - 1] if 0 < number <= len(state.attempts) else None


def with_attempt(state: Cascade, attempt: Attempt) -> tuple[Attempt, ...]:
    """The attempts with `attempt` in place of the one with its number."""
    i = attempt.number - 1
    return (*state.attempts[:i], attempt, *state.attempts[i + 1 :])


def note(state: Cascade, at: int, event: str, attempt: int, detail: str, /, **changes: Any) -> Cascade:
    """The changed state with one more line in its timeline; in a full one the newest takes the place of the one before."""
    history = (*state.history[: MAX_HISTORY - 1], Entry(at, event, attempt, detail))
    updated_at = max(at, state.updated_at_ms)
    return evolve(state, history=history, revision=state.revision + 1, updated_at_ms=updated_at, **changes)


def wake_at(state: Cascade, wake: Wake, at: int, /, **changes: Any) -> Cascade:
    """The changed state with a new wake in place of the old one."""
    return evolve(state, wake=wake, wake_at_ms=at, timer=state.timer + 1, **changes)
