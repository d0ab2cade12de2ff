"""The gate by a clock of its own: what it lets in is answered within the patience, at whatever rate it comes."""

from collections import deque
from dataclasses import dataclass, field

import pytest

from ingress.gate import BURST, CALM_MS, PATIENCE_MS, Gate, Ticket

SPAN_MS = 5_000


@dataclass(slots=True)
class Pipeline:
    """Answers in the order of arrival, so many a millisecond, when it runs. Time goes on one millisecond at a time."""

    per_ms: float
    now_ms: int = 0
    waits_ms: list[int] = field(default_factory=list)
    refused: int = 0
    _queue: deque[Ticket] = field(default_factory=deque)
    _work: float = 0.0
    _due: float = 0.0

    def live(self, gate: Gate, span_ms: int, offered_per_ms: float, *, count: int = 1) -> None:
        """So many requests of `count` come each millisecond, and are let in or not."""
        for _ in range(span_ms):
            self.now_ms += 1
            self._due += offered_per_ms
            while self._due >= 1:
                self._due -= 1
                if gate.is_shut():
                    self.refused += count
                else:
                    self._queue.extend([gate.enter(count)] * count)
            self._work = self._work + self.per_ms if self._queue else 0.0
            while self._queue and self._work >= 1:
                self._work -= 1
                ticket = self._queue.popleft()
                gate.answered(ticket)
                self.waits_ms.append(self.now_ms - ticket.at_ms)


def test_a_pipeline_that_keeps_up_is_never_kept_from_anything() -> None:
    pipeline = Pipeline(per_ms=2)
    gate = Gate(lambda: pipeline.now_ms)
    pipeline.live(gate, SPAN_MS, 1.9)
    assert pipeline.refused == 0


def test_a_burst_on_an_idle_gateway_is_let_in() -> None:
    pipeline = Pipeline(per_ms=2)
    gate = Gate(lambda: pipeline.now_ms)
    pipeline.live(gate, 1, BURST - 1)
    assert pipeline.refused == 0


@pytest.mark.parametrize(("per_ms", "times"), [(0.2, 3), (0.2, 10), (1, 1.5), (1, 3), (1, 10)])
def test_however_much_comes_what_is_let_in_is_answered_within_the_patience_and_the_pipeline_is_kept_busy(
    per_ms: float, times: float
) -> None:
    pipeline = Pipeline(per_ms)
    gate = Gate(lambda: pipeline.now_ms)
    pipeline.live(gate, SPAN_MS, per_ms * times)
    begin = len(pipeline.waits_ms)
    pipeline.live(gate, SPAN_MS, per_ms * times)
    waits = sorted(pipeline.waits_ms[begin:])
    assert waits[int(len(waits) * 0.99)] <= 1.1 * PATIENCE_MS
    assert len(waits) >= 0.95 * per_ms * SPAN_MS


def test_the_first_wave_of_an_overload_does_not_wait_much_longer_either() -> None:
    pipeline = Pipeline(per_ms=1)
    gate = Gate(lambda: pipeline.now_ms)
    pipeline.live(gate, SPAN_MS, 0.5)
    pipeline.live(gate, SPAN_MS, 3)
    assert max(pipeline.waits_ms) <= 1.5 * PATIENCE_MS


def test_batches_are_counted_by_their_messages() -> None:
    pipeline = Pipeline(per_ms=1)
    gate = Gate(lambda: pipeline.now_ms)
    pipeline.live(gate, 3 * SPAN_MS, 0.03, count=100)
    waits = sorted(pipeline.waits_ms[5_000:])
    assert waits[int(len(waits) * 0.99)] <= 1.25 * PATIENCE_MS


def test_a_pipeline_that_stands_still_is_tried_by_one_at_a_time() -> None:
    pipeline = Pipeline(per_ms=1)
    gate = Gate(lambda: pipeline.now_ms)
    pipeline.live(gate, 2_000, 0.5)
    pipeline.per_ms = 0
    pipeline.live(gate, 2 * PATIENCE_MS, 0.5)
    refused = pipeline.refused
    pipeline.live(gate, 5 * PATIENCE_MS, 0.5)
    assert pipeline.refused - refused >= 2_500 - 6


def test_a_pipeline_that_runs_again_is_used_again() -> None:
    pipeline = Pipeline(per_ms=1)
    gate = Gate(lambda: pipeline.now_ms)
    pipeline.live(gate, 2_000, 0.5)
    pipeline.per_ms = 0
    pipeline.live(gate, 5 * PATIENCE_MS, 0.5)
    pipeline.per_ms = 1
    pipeline.live(gate, 3 * PATIENCE_MS, 0.5)
    refused = pipeline.refused
    pipeline.live(gate, 5 * PATIENCE_MS, 0.5)
    assert pipeline.refused == refused


def test_a_partition_that_stands_still_does_not_shut_out_the_others() -> None:
    pipeline = Pipeline(per_ms=1)
    gate = Gate(lambda: pipeline.now_ms)
    for _ in range(SPAN_MS // 10):
        pipeline.live(gate, 10, 0.5)
        if not gate.is_shut():
            gate.enter(1)  # goes where nobody answers
    assert pipeline.refused == 0


def test_who_leaves_does_not_count_whether_it_was_late_or_not() -> None:
    now_ms = 0
    gate = Gate(lambda: now_ms, burst=1)
    early, late = gate.enter(1), gate.enter(5)
    gate.leave(early)
    now_ms = PATIENCE_MS
    assert not gate.is_shut()
    gate.leave(late)
    now_ms += CALM_MS
    fresh = gate.enter(1)
    assert gate.is_shut()
    gate.answered(fresh)
    gate.leave(fresh)
    assert not gate.is_shut()
    assert not gate._tickets
