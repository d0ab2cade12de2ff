"""What a link tells whoever owns it."""

from typing import TYPE_CHECKING, Protocol

from egress.smpp.job import Answer, Job
from schemas.smpp.pdu import ShortMessage

if TYPE_CHECKING:
    from egress.smpp.link import Link


class LinkOwner(Protocol):
    """What a link calls; none of it may block."""

    def answered(self, link: "Link", job: Job, answer: Answer, rtt_ms: int) -> None:
        """A segment has its answer, and a place in the window is free."""

    def overdue(self, job: Job) -> None:
        """Nobody answered this segment in time; its place in the window is free."""

    def late(self, job: Job, answer: Answer) -> None:
        """An overdue segment was answered after all."""

    def inbound(self, link: "Link", message: ShortMessage) -> None:
        """A deliver_sm or data_sm came: it must be answered through `answer_message`."""

    def changed(self) -> None:
        """A link can take more than before."""

    def lost(self, link: "Link", written: list[Job], unwritten: list[Job]) -> None:
        """The connection is gone; these segments had no answer."""

    def fault(self, what: str) -> None:
        """The peer sent what it should not."""
