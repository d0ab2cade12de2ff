"""The cascade's rules for every history: random events, late, repeated and out of order, against what must always hold."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.cascade.commands import Announce, AnswerCancel, Command, DeadLetter, Resolve, SendAttempt
from domain.cascade.engine import begin, decide, is_retired
from domain.cascade.events import AttemptFailed, AttemptSent, CancelAsked, Happening, ReceiptArrived, TimerFired
from domain.cascade.plan import Plan, PlannedStep
from domain.cascade.rule import Backoff, DeliveryWindow, Step
from domain.cascade.states import MAX_HISTORY, Cascade
from domain.delivery import CHANNELS
from tests.unit.domain.given import HOUR, NOW, RETIRE, message

windows = st.none() | st.builds(DeliveryWindow, st.integers(0, 1439), st.integers(0, 1440), st.just("UTC"))
steps = st.builds(
    Step,
    st.sampled_from(CHANNELS),
    st.integers(1, 6 * HOUR),
    st.integers(0, 3),
    st.builds(Backoff, st.sampled_from(("fixed", "linear", "exponential")), st.integers(1, HOUR), st.just(HOUR)),
    window=windows,
)
planned = st.builds(
    PlannedStep,
    steps,
    st.just("a"),
    st.integers(1, 3),
    st.integers(0, 90_000),
    st.sampled_from(("", "", "", "no_route")),
    st.sampled_from((0, 0, NOW + HOUR)),
)
plans = st.builds(
    Plan,
    st.lists(planned, max_size=4).map(tuple),
    st.sampled_from(("sent", "delivered", "read")),
    st.integers(1, 48 * HOUR),
    st.sampled_from(("delivered", "sent")),
    st.sampled_from((0, 0, NOW + HOUR)),
    st.just(""),
)
attempts = st.integers(0, 6)
money = st.integers(0, 200_000)
codes = st.sampled_from(("", "1", "2"))
times = st.integers(NOW, NOW + 50 * HOUR)
happenings: st.SearchStrategy[Happening | None] = st.one_of(
    st.none(),  # the wake that the state asks for
    st.builds(
        AttemptSent, st.just("msg-1"), attempts, times, st.just("c"), st.sampled_from(((), ("p",))),
        st.sampled_from(("sent", "delivered")), st.just(1), money, money, st.booleans(), codes,
    ),
    st.builds(
        AttemptFailed, st.just("msg-1"), attempts, times, st.just("c"), st.booleans(), codes, codes, st.integers(0, HOUR)
    ),
    st.builds(
        ReceiptArrived, st.just("msg-1"), attempts, times, st.just("c"),
        st.sampled_from(("enroute", "delivered", "read", "failed", "expired", "rejected", "unknown")), codes,
        st.just(1), money, money,
    ),
    st.builds(TimerFired, st.just("msg-1"), st.integers(0, 12), times),
    st.builds(CancelAsked, st.just("msg-1"), st.just("t1"), st.just("ask"), st.just(1), times),
)  # fmt: skip

Told = list[tuple[Cascade, Happening, Cascade, tuple[Command, ...]]]


def history(plan: Plan, events: list[Happening | None]) -> tuple[Cascade, tuple[Command, ...], Told]:
    """The first state, its commands, and each step: state before, event, state after, commands."""
    first, commands = begin(message(plan), RETIRE)
    state, steps_taken = first, []
    for asked in events:
        event = asked or TimerFired("msg-1", state.timer, state.wake_at_ms)
        if is_retired(state, event):
            break
        after, said = decide(state, event, RETIRE)
        steps_taken.append((state, event, after, said))
        state = after
    return first, commands, steps_taken


def run_out(state: Cascade) -> tuple[Cascade, list[Command]]:
    """The end of a story in which nothing comes any more but the wakes."""
    commands: list[Command] = []
    for _ in range(200):
        if state.is_final:
            return state, commands
        state, said = decide(state, TimerFired("msg-1", state.timer, state.wake_at_ms), RETIRE)
        commands += said
    raise AssertionError("the cascade does not end")


@given(plans, st.lists(happenings, max_size=20))
@settings(max_examples=300)
def test_one_final_state_is_reached_announced_and_resolved_exactly_once(
    plan: Plan, events: list[Happening | None]
) -> None:
    first, commands, taken = history(plan, events)
    everything = [*commands, *(c for *_, said in taken for c in said)]
    end, rest = run_out(taken[-1][2] if taken else first)
    everything += rest

    resolved = [c.settle for c in everything if isinstance(c, Resolve)]
    assert end.is_final
    assert sum(c == Announce(final=True) for c in everything) == 1
    assert len(resolved) == 1
    assert 0 <= resolved[0].charge_micros <= resolved[0].reserved_micros == end.reserved_micros
    assert resolved[0].charge_micros == end.charged_micros
    assert sum(c == DeadLetter() for c in everything) == (end.state in ("exhausted", "expired"))
    sends = [c.attempt for c in everything if isinstance(c, SendAttempt)]
    assert sends == sorted(set(sends))


@given(plans, st.lists(happenings, max_size=20))
@settings(max_examples=300)
def test_no_event_leaves_a_final_state_or_turns_back_revision_timer_or_time(
    plan: Plan, events: list[Happening | None]
) -> None:
    _, _, taken = history(plan, events)
    for before, _, after, commands in taken:
        if before.is_final:
            assert (after.state, after.confirmed_by, after.charged_micros) == (
                before.state, before.confirmed_by, before.charged_micros,
            )  # fmt: skip
            assert (after.timer, after.wake_at_ms) == (before.timer, before.wake_at_ms)
        assert after.revision >= before.revision
        assert after.updated_at_ms >= before.updated_at_ms
        assert len(after.history) <= MAX_HISTORY
        assert len(after.attempts) >= len(before.attempts)
        woken = (after.wake, after.wake_at_ms) != (before.wake, before.wake_at_ms)
        assert not woken or after.timer > before.timer
        assert after.timer in (before.timer, before.timer + 1)
        announced = any(isinstance(c, Announce) for c in commands)
        assert announced == (after.revision > before.revision)
        assert [a.number for a in after.attempts] == list(range(1, len(after.attempts) + 1))


@given(plans, st.lists(happenings, max_size=20))
@settings(max_examples=300)
def test_an_event_that_comes_again_changes_nothing(plan: Plan, events: list[Happening | None]) -> None:
    _, _, taken = history(plan, events)
    for _, event, after, commands in taken:
        again, said = decide(after, event, RETIRE)
        assert again == after
        if isinstance(event, CancelAsked):
            (answer,) = said
            assert isinstance(answer, AnswerCancel)
            assert answer in commands
        else:
            assert said == ()


@given(plans, st.lists(happenings, max_size=12))
@settings(max_examples=300)
def test_a_whole_batch_that_comes_again_changes_nothing_that_counts(plan: Plan, events: list[Happening | None]) -> None:
    _, _, taken = history(plan, events)
    if not taken or not taken[-1][2].is_final:
        return
    end = taken[-1][2]
    state = end
    for _, event, *_ in taken:
        state, commands = decide(state, event, RETIRE)
        assert not any(isinstance(c, SendAttempt | Resolve | DeadLetter) for c in commands)
    assert (state.state, state.charged_micros, state.confirmed_by) == (end.state, end.charged_micros, end.confirmed_by)


@given(plans, st.lists(happenings, max_size=20))
@settings(max_examples=200)
def test_a_stale_timer_is_a_no_op(plan: Plan, events: list[Happening | None]) -> None:
    first, _, taken = history(plan, events)
    for state in (first, *(after for _, _, after, _ in taken)):
        stale = TimerFired("msg-1", state.timer - 1, state.wake_at_ms)
        assert decide(state, stale, RETIRE) == (state, ())
        assert decide(state, replace(stale, timer=state.timer + 1), RETIRE) == (state, ())
