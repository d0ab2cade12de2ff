"""The unanswered segments of one bind, by sequence number (SMPP 3.4 sections 2.9 and 5.1.4)."""

from typing import Final

from egress.smpp.job import Job

MAX_SEQUENCE: Final = 0x7FFFFFFF
LATE_LIMIT: Final = 10_000  # overdue segments whose answer is still recognised


class Window:
    """At most `size` segments wait for `timeout_ms`; the overdue ones free their place and are remembered for a while."""

    __slots__ = ("_late", "_pending", "_sequence", "_size", "_timeout_ms")

    def __init__(self, size: int, timeout_ms: int) -> None:
        self._size = size
        self._timeout_ms = timeout_ms
        self._sequence = 0
        self._pending: dict[int, Job] = {}  # oldest first
        self._late: dict[int, Job] = {}

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def has_room(self) -> bool:
        """Whether one more may be sent."""
        return len(self._pending) < self._size

    def next_sequence(self) -> int:
        """1 to 0x7FFFFFFF and round again, skipping what is still unanswered."""
        while True:
            self._sequence = self._sequence % MAX_SEQUENCE + 1
            if self._sequence not in self._pending and self._sequence not in self._late:
                return self._sequence

    def take(self, job: Job, now_ms: int) -> int:
        """Take a place for the segment: the answer is the sequence number to send it under."""
        sequence = self.next_sequence()
        self._pending[sequence] = job
        job.sent_ms = now_ms
        return sequence

    def answered(self, sequence: int) -> Job | None:
        """The segment that waited under this number; its place is free."""
        return self._pending.pop(sequence, None)

    def answered_late(self, sequence: int) -> Job | None:
        """The overdue segment that was sent under this number."""
        return self._late.pop(sequence, None)

    def expire(self, now_ms: int) -> list[Job]:
        """The segments that have become overdue; their places are free."""
        overdue: list[Job] = []
        while self._pending:
            sequence, job = next(iter(self._pending.items()))
            if now_ms - job.sent_ms < self._timeout_ms:
                break
            del self._pending[sequence]
            if len(self._late) >= LATE_LIMIT:
                del self._late[next(iter(self._late))]
            self._late[sequence] = job
            overdue.append(job)
        return overdue

    def clear(self) -> list[Job]:
        """All that waited: the bind is gone."""
        jobs = list(self._pending.values())
        self._pending.clear()
        return jobs
