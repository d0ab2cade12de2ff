"""The receipts that a receiver has been sent and has not answered (SMPP 3.4 sections 2.9 and 5.1.4)."""

from typing import Final

from ingress.smpp.receipt_store import ReceiptDue

MAX_SEQUENCE: Final = 0x7FFFFFFF


class Outstanding:
    """At most `size` at once, each for `timeout_ms`; it also gives the numbers of our other requests."""

    __slots__ = ("_pending", "_sequence", "_size", "_timeout_ms")

    def __init__(self, size: int, timeout_ms: int) -> None:
        self._size = size
        self._timeout_ms = timeout_ms
        self._sequence = 0
        self._pending: dict[int, tuple[int, ReceiptDue]] = {}  # oldest first

    @property
    def room(self) -> int:
        """How many more may be sent."""
        return self._size - len(self._pending)

    def next_sequence(self) -> int:
        """1 to 0x7FFFFFFF and round again, skipping what is still unanswered."""
        while True:
            self._sequence = self._sequence % MAX_SEQUENCE + 1
            if self._sequence not in self._pending:
                return self._sequence

    def take(self, due: ReceiptDue, now_ms: int) -> int:
        """Take a place; the answer is the sequence number to send it under."""
        sequence = self.next_sequence()
        self._pending[sequence] = (now_ms, due)
        return sequence

    def answered(self, sequence: int) -> ReceiptDue | None:
        """The receipt that was sent under this number."""
        found = self._pending.pop(sequence, None)
        return None if found is None else found[1]

    def overdue(self, now_ms: int) -> list[ReceiptDue]:
        """Those that were not answered in time; their places are free."""
        late = [sequence for sequence, (sent_ms, _) in self._pending.items() if now_ms - sent_ms >= self._timeout_ms]
        return [self._pending.pop(sequence)[1] for sequence in late]

    def clear(self) -> list[ReceiptDue]:
        """All of them: the session is gone."""
        found = [due for _, due in self._pending.values()]
        self._pending.clear()
        return found
