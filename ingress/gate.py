"""How many submissions may wait for their verdicts, so that each is answered within a client's patience.

The wait of a new submission is the number before it times the time that each takes (Little's law). As long as the
pipeline keeps up, a burst is let in; while somebody waits for more than a quarter of the patience, or did too long just
now, no more may wait than the pipeline answered within the patience. Those that waited longer do not count: a partition
of the pipeline that stands still must not shut the door to the others. But as long as it is these that are answered,
nobody is let in; and when nothing is answered at all, one at a time is, to try.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ingress.times import monotonic_ms

PATIENCE_MS = 1_000
"""An accepted submission is answered within about this time, however many come."""
BURST = 2_000
"""Submissions that may wait while the pipeline keeps up, however little it answered lately."""
CALM_MS = 5_000
"""So long after somebody waited too long no burst is let in."""
RETRY_AFTER_MS = 1_000
TICK_MS = 100
TICKS = 10
"""Answers are counted in tenths of the last second."""


@dataclass(slots=True)
class Ticket:
    """Submissions that came in together: how many still wait, and whether they have waited too long to count."""

    at_ms: int
    waiting: int
    late: bool = False


class Gate:
    """Counts who waits and how fast answers come. `now_ms` is monotonic; one thread only."""

    def __init__(
        self, now_ms: Callable[[], int] = monotonic_ms, patience_ms: int = PATIENCE_MS, burst: int = BURST
    ) -> None:
        self._now_ms = now_ms
        self._patience_ms = patience_ms
        self._burst = burst
        self._tickets: deque[Ticket] = deque()
        self._waiting = 0
        self._late = 0
        self._lagging = False
        self._calm_at_ms = 0
        self._answers: deque[int] = deque([0] * TICKS, TICKS)
        self._tick = now_ms() // TICK_MS

    def is_shut(self) -> bool:
        """Whether one more would have to wait too long."""
        if not self._waiting and not self._late:
            return False
        most = self._most(self._now_ms())
        return self._waiting >= most or (self._lagging and self._late > 0)

    def enter(self, count: int) -> Ticket:
        """So many submissions wait from now on."""
        ticket = Ticket(self._now_ms(), count)
        self._tickets.append(ticket)
        self._waiting += count
        return ticket

    def answered(self, ticket: Ticket) -> None:
        """One submission of the ticket has its verdict."""
        now_ms = self._now_ms()
        self._turn(now_ms)
        self._answers[-1] += 1
        self._lagging = now_ms - ticket.at_ms >= self._patience_ms
        self._drop(ticket, 1)

    def leave(self, ticket: Ticket) -> None:
        """Nobody waits for the rest of the ticket any more."""
        self._drop(ticket, ticket.waiting)

    def _drop(self, ticket: Ticket, count: int) -> None:
        ticket.waiting -= count
        if ticket.late:
            self._late -= count
        else:
            self._waiting -= count
        while self._tickets and not self._tickets[0].waiting:
            self._tickets.popleft()

    def _most(self, now_ms: int) -> int:
        self._turn(now_ms)
        oldest_ms = self._oldest_ms(now_ms)
        rate = sum(self._answers) * 1_000 // (TICKS * TICK_MS)
        most = max(1, rate * self._patience_ms // 1_000)
        keeps_up = now_ms >= self._calm_at_ms and oldest_ms < self._patience_ms // 4
        return max(most, self._burst) if keeps_up else most

    def _oldest_ms(self, now_ms: int) -> int:
        """How long the first has waited of those that count."""
        while self._tickets:
            first = self._tickets[0]
            waited_ms = now_ms - first.at_ms
            if first.waiting and waited_ms < self._patience_ms:
                return waited_ms
            self._tickets.popleft()
            first.late = True
            self._calm_at_ms = now_ms + CALM_MS
            self._waiting -= first.waiting
            self._late += first.waiting
        return 0

    def _turn(self, now_ms: int) -> None:
        tick = now_ms // TICK_MS
        if tick != self._tick:
            self._answers.extend([0] * min(tick - self._tick, TICKS))
            self._tick = tick
