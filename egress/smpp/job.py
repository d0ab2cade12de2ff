"""One segment on its way: its frame, whose it is, and the future that its answer goes to."""

import asyncio
from typing import TYPE_CHECKING, Literal, NamedTuple

from domain.delivery import AttemptDue

if TYPE_CHECKING:
    from egress.smpp.link import Link

# Why a segment has no answer of the peer: it was written and its bind was lost, or nobody answered in time; or it was never
# written: its attempt expired while waiting, the client is stopping, too much waits already.
Silence = Literal["lost", "timeout", "expired", "draining", "queue_full"]


class Answer(NamedTuple):
    """The peer's answer to a segment; `message_id` is empty when it refused."""

    status: int
    message_id: str


class Job:
    """A segment. It is in exactly one place: the common queue, a bind's own queue, a bind's window, or a timer."""

    __slots__ = ("attempt", "frame", "future", "link", "part", "queue_fulls", "sent_ms", "throttled")

    def __init__(
        self,
        attempt: AttemptDue,
        part: int,
        frame: bytes,
        future: "asyncio.Future[Answer | Silence]",
        link: "Link | None",
    ) -> None:
        self.attempt = attempt
        self.part = part
        self.frame = frame  # its sequence number is written at each sending
        self.future = future
        self.link = link  # the bind that took the part before this one
        self.sent_ms = 0
        self.throttled = False
        self.queue_fulls = 0

    def resolve(self, answer: Answer | Silence) -> None:
        """Give the answer to whoever waits; nobody may wait any more."""
        if not self.future.done():
            self.future.set_result(answer)
