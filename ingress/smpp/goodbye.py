"""The end of a session by unbind, the peer's or ours (SMPP 3.4 section 4.2)."""

from dataclasses import dataclass
from typing import Literal

Move = Literal["wait", "answer", "ask", "close"]


@dataclass(slots=True)
class Goodbye:
    """Requests may be answered until `until_ms`; then the peer's unbind (`sequence`) is answered, or ours is sent."""

    until_ms: int
    sequence: int | None = None
    asked: bool = False

    def move(self, now_ms: int, busy: bool, answer_ms: int) -> Move:
        """What is to be done now; after `ask` the peer has `answer_ms` to answer."""
        if self.asked:
            return "close" if now_ms >= self.until_ms else "wait"
        if busy and now_ms < self.until_ms:
            return "wait"
        if self.sequence is not None:
            return "answer"
        self.asked, self.until_ms = True, now_ms + answer_ms
        return "ask"
