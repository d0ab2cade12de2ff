"""A cascade as one would explain it on a board: plain, mutable, slow, with nothing in it but the rules in words."""

from dataclasses import dataclass, field

from domain.cascade.plan import Plan
from domain.cascade.rule import Backoff

REACHED = {"sent": 1, "delivered": 2, "read": 3}


@dataclass
class Try:
    """One attempt: what became of it, and whether its carrier has answered."""

    step: int
    state: str = "pending"
    answered: bool = False
    taken: bool = False
    code: bool = False
    price: int = 0


@dataclass
class Board:
    """A message on the board. `timer` is what it waits for and when; `sent`, `ended` and `paid` are what it has caused."""

    plan: Plan
    created: int
    tries: list[Try] = field(default_factory=list)
    step: int = 0
    retries: int = 0
    step_ends: int = 0
    timer: tuple[str, int] = ("none", 0)
    timers: int = 0
    stopped: bool = False
    final: str = ""
    sent: list[int] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    paid: list[int] = field(default_factory=list)

    @property
    def deadline(self) -> int:
        return max(self.created, self.plan.send_at_ms) + self.plan.max_duration_ms

    @property
    def with_carrier(self) -> Try | None:
        """The attempt that is out and may still be heard of in time."""
        last = self.tries[-1] if self.tries else None
        return last if last and last.step == self.step and last.state in ("pending", "sent") else None

    def begin(self) -> None:
        if self.plan.send_at_ms > self.created:
            self.wait("start", self.plan.send_at_ms)
        else:
            self.enter(0, self.created)

    def enter(self, step: int, at: int) -> None:
        while step < len(self.plan.steps) and self.plan.steps[step].skip:
            self.tries.append(Try(step, "skipped"))
            step += 1
        if at >= self.deadline:
            self.end("expired", at)
        elif step == len(self.plan.steps):
            self.end("exhausted", at)
        else:
            self.step, self.retries = step, 0
            self.step_ends = at + self.plan.steps[step].step.timeout_ms
            self.send()

    def send(self) -> None:
        self.tries.append(Try(self.step))
        self.sent.append(len(self.tries))
        self.wait("timeout", min(self.step_ends, self.deadline))

    def go_on(self, at: int) -> None:
        if self.stopped:
            self.end("cancelled", at)
        else:
            self.enter(self.step + 1, at)

    def fall_back(self, at: int, permanent: bool, retry_after: int) -> None:
        rule = self.plan.steps[self.step].step
        again = at + max(pause_ms(rule.backoff, self.retries), retry_after)
        may = not permanent and not self.stopped and self.retries < rule.max_retries
        if may and again < min(self.step_ends, self.deadline):
            self.retries += 1
            self.wait("retry", again)
        else:
            self.go_on(at)

    def end(self, final: str, at: int, by: Try | None = None) -> None:
        self.final = final
        self.ended.append(final)
        payer = by
        if by is None and self.plan.charge_on == "sent":
            payer = next((t for t in self.tries if t.taken), None)
        self.paid.append(min(payer.price, self.plan.dearest_micros) if payer else 0)
        self.wait("retire", at)

    def wait(self, what: str, until: int) -> None:
        self.timer = (what, until)
        self.timers += 1

    def carrier_took(self, number: int, at: int, level: str, unknown: bool, has_id: bool, price: int) -> None:
        if not 0 < number <= len(self.tries):
            return
        one = self.tries[number - 1]
        if one.answered or one.state in ("sent", "skipped"):
            return
        if one.state not in ("pending", "timed_out"):  # its receipt was faster: nothing but its name is news
            one.answered, one.taken = has_id, one.taken or has_id
            return
        late = one.state == "timed_out"
        one.state, one.price, one.answered, one.taken = level, price, has_id or unknown, True
        if self.final:
            return
        if self.enough(level):
            self.end("delivered", at, one)
        elif not late and self.with_carrier is one:
            self.wait("timeout", min(at + self.plan.steps[self.step].step.timeout_ms, self.deadline))

    def carrier_refused(self, number: int, at: int, permanent: bool, retry_after: int) -> None:
        if not 0 < number <= len(self.tries):
            return
        one = self.tries[number - 1]
        if one.state not in ("pending", "timed_out") or one.code:
            return
        one.code = True
        if one.state == "pending":
            one.state = "failed"
            if not self.final and one.step == self.step:
                self.fall_back(at, permanent, retry_after)

    def receipt(self, number: int, at: int, status: str, price: int) -> None:
        good, bad = status in ("delivered", "read"), status in ("failed", "expired", "rejected")
        if not 0 < number <= len(self.tries) or not (good or bad):
            return
        one = self.tries[number - 1]
        was = REACHED.get(one.state, 0)
        if one.state == "skipped" or (good and REACHED[status] <= was):
            return
        if bad and (was >= REACHED["delivered"] or one.state == "failed" or (one.state == "timed_out" and one.code)):
            return
        in_time = self.with_carrier is one and not self.final
        one.price = price
        if good:
            one.state, one.taken = status, True
        else:
            one.code = True
            one.state = one.state if one.state == "timed_out" else "failed"
        if self.final:
            return
        if good and self.enough(status):
            self.end("delivered", at, one)
        elif bad and in_time:
            self.fall_back(at, True, 0)

    def time_is_up(self, at: int) -> None:
        """What it waited for has come."""
        match self.timer[0]:
            case "start":
                self.enter(self.step, at)
            case "retry":
                if at >= self.deadline:
                    self.end("expired", at)
                elif self.stopped:
                    self.end("cancelled", at)
                else:
                    self.send()
            case "timeout":
                if self.with_carrier:
                    self.with_carrier.state = "timed_out"
                self.go_on(at)

    def cancel(self, at: int) -> bool:
        """Whether nothing more will happen."""
        if self.final:
            return self.final == "cancelled"
        last = self.tries[-1] if self.tries else None
        if last and last.step == self.step and last.state in ("pending", "sent", "delivered"):
            self.stopped = True
            return False
        self.end("cancelled", at)
        return True

    def enough(self, reached: str) -> bool:
        return REACHED[reached] >= REACHED[self.plan.confirmation]


def pause_ms(backoff: Backoff, retries: int) -> int:
    """How long to wait after so many retries."""
    pauses = {
        "fixed": backoff.base_ms,
        "linear": backoff.base_ms + retries * backoff.increment_ms,
        "exponential": backoff.base_ms << retries,
    }
    return min(pauses[backoff.type], backoff.max_ms)
