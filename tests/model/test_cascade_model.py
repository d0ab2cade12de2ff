"""The cascade does what the board says, whatever comes in whatever order: late, early, repeated, for attempts that are not."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.cascade.commands import Announce, AnswerCancel, Command, DeadLetter, Resolve, SendAttempt
from domain.cascade.engine import begin, decide
from domain.cascade.events import AttemptFailed, AttemptSent, CancelAsked, Happening, ReceiptArrived, TimerFired
from domain.cascade.plan import Plan, PlannedStep
from domain.cascade.rule import Backoff, Step
from domain.cascade.states import Cascade
from domain.delivery import ReceiptStatus
from tests.model.cascade import Board
from tests.unit.domain.given import NOW, RETIRE, message

SECOND = 1_000
PATIENCE = 4
"""Events before the first cancellation: most histories that begin with one are short."""
MONEY = st.sampled_from((0, 500, 30_000, 90_000))

steps = st.builds(
    PlannedStep,
    st.builds(
        Step, st.sampled_from(("email", "sms")), st.sampled_from((SECOND, 30 * SECOND, 60 * SECOND)), st.integers(0, 2),
        st.builds(Backoff, st.sampled_from(("fixed", "linear", "exponential")), st.sampled_from((SECOND, 20 * SECOND))),
    ),
    st.just("a"), st.just(1), st.sampled_from((1_000, 30_000)), st.sampled_from(("", "", "", "", "", "no_route")),
)  # fmt: skip
plans = st.builds(
    Plan, st.lists(steps, min_size=1, max_size=4).map(tuple), st.sampled_from(("sent", "delivered", "delivered", "read", "read")),
    st.sampled_from((10 * SECOND, 3_600 * SECOND, 3_600 * SECOND)), st.sampled_from(("delivered", "sent")),
    st.sampled_from((0, 0, NOW + 5 * SECOND)), st.just(""),
)  # fmt: skip
numbers = st.sampled_from((0, 1, 2, 5, -1, -1, -1, -1))
"""Of attempts; -1 is the newest."""
pauses = st.sampled_from((0, 1, SECOND, 25 * SECOND))
statuses: st.SearchStrategy[ReceiptStatus] = st.sampled_from(
    ("enroute", "accepted", "unknown", "delivered", "delivered", "read", "failed", "expired", "rejected")
)


class CascadeMachine(RuleBasedStateMachine):
    """The engine and the board side by side."""

    state: Cascade
    board: Board

    @initialize(plan=plans)
    def accept(self, plan: Plan) -> None:
        self.now = NOW
        self.sent: list[int] = []
        self.ended: list[str] = []
        self.paid: list[int] = []
        self.dead = 0
        self.happened: list[Happening] = []
        self.board = Board(plan, NOW)
        self.board.begin()
        self.state, commands = begin(message(plan), RETIRE)
        self.note(commands)

    def attempt(self, number: int) -> int:
        return len(self.state.attempts) if number == -1 else number

    def note(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            match command:
                case SendAttempt():
                    self.sent.append(command.attempt)
                    assert self.state.attempts[command.attempt - 1].step == command.step
                    assert command.expires_at_ms <= self.state.deadline_ms
                case Announce(final=True):
                    self.ended.append(self.state.state)
                case Resolve():
                    self.paid.append(command.settle.charge_micros)
                case DeadLetter():
                    self.dead += 1

    def happen(self, event: Happening) -> tuple[Command, ...]:
        before = self.state
        self.state, commands = decide(before, event, RETIRE)
        self.note(commands)
        self.happened.append(event)
        if before.is_final:
            assert self.state.state == before.state, "a final state is never undone"
            assert all(isinstance(c, Announce | AnswerCancel) for c in commands)
        return commands

    @rule(
        pause=pauses,
        number=numbers,
        level=st.sampled_from(("sent", "sent", "delivered")),
        price=MONEY,
        unknown=st.booleans(),
    )
    def a_carrier_takes_it(self, pause: int, number: int, level: str, price: int, unknown: bool) -> None:
        self.now, number = self.now + pause, self.attempt(number)
        ids = () if unknown else (f"p{number}",)
        known = "delivered" if level == "delivered" else "sent"
        self.happen(AttemptSent("msg-1", number, self.now, "c", ids, known, 1, price, 1, unknown))  # type: ignore[arg-type]  # a literal
        self.board.carrier_took(number, self.now, level, unknown, bool(ids), price)

    @rule(pause=pauses, number=numbers, permanent=st.booleans(), retry_after=st.sampled_from((0, 0, 5 * SECOND)))
    def a_carrier_refuses_it(self, pause: int, number: int, permanent: bool, retry_after: int) -> None:
        self.now, number = self.now + pause, self.attempt(number)
        self.happen(AttemptFailed("msg-1", number, self.now, "c", permanent, "451", "busy", retry_after))
        self.board.carrier_refused(number, self.now, permanent, retry_after)

    @rule(times=st.integers(2, 3))
    def it_is_busy_again_and_again(self, times: int) -> None:
        """Rules by chance alone would seldom get through all retries of a step."""
        for _ in range(times):
            self.a_carrier_refuses_it(0, -1, False, 0)
            if self.state.wake == "retry":
                self.its_time_is_up()

    @rule(pause=pauses, number=numbers, status=statuses, price=MONEY)
    def a_receipt_comes(self, pause: int, number: int, status: ReceiptStatus, price: int) -> None:
        self.now, number = self.now + pause, self.attempt(number)
        self.happen(ReceiptArrived("msg-1", number, self.now, "c", status, "1", 1, price, 1))
        self.board.receipt(number, self.now, status, price)

    @precondition(lambda self: not self.state.is_final)
    @rule()
    def its_time_is_up(self) -> None:
        self.now = max(self.now, self.state.wake_at_ms)
        self.happen(TimerFired("msg-1", self.state.timer, self.now))
        self.board.time_is_up(self.now)

    @rule(pause=pauses, behind=st.integers(1, 3))
    def an_old_timer_fires(self, pause: int, behind: int) -> None:
        before = self.state
        assert self.happen(TimerFired("msg-1", before.timer - behind, self.now + pause)) == ()
        assert self.state is before

    @precondition(lambda self: self.state.is_final or len(self.happened) > PATIENCE)
    @rule(pause=pauses)
    def it_is_cancelled(self, pause: int) -> None:
        self.now += pause
        commands = self.happen(CancelAsked("msg-1", "t1", "ask", 0, self.now))
        (answer,) = (c for c in commands if isinstance(c, AnswerCancel))
        assert answer.done == self.board.cancel(self.now)
        assert answer.done or answer.reason

    @precondition(lambda self: bool(self.happened))
    @rule(data=st.data())
    def something_comes_again(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(self.happened[-1:]))
        before = self.state
        commands = self.happen(event)
        assert self.state is before
        assert all(isinstance(c, AnswerCancel) for c in commands)

    @invariant()
    def it_is_where_the_board_says(self) -> None:
        final = self.state.state if self.state.is_final else ""
        assert final == self.board.final
        assert [(a.step, a.state) for a in self.state.attempts] == [(t.step, t.state) for t in self.board.tries]
        assert (self.state.wake, self.state.timer) == (self.board.timer[0], self.board.timers)
        assert self.state.is_final or self.state.wake_at_ms == self.board.timer[1]
        assert self.state.is_final or self.state.wake_at_ms <= self.state.deadline_ms

    @invariant()
    def it_has_caused_what_the_board_says(self) -> None:
        assert self.sent == self.board.sent, "each attempt goes out once, in the order of the plan"
        assert self.ended == self.board.ended
        assert len(self.ended) <= 1, "one final state a message"
        assert self.paid == self.board.paid
        assert self.dead == sum(end in ("exhausted", "expired") for end in self.ended)


CascadeMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=20, deadline=None)
TestCascade = CascadeMachine.TestCase
