"""A desk that accepts everything, or answers as it was told to."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from domain.billing.money import Account
from domain.cascade.commands import StatusTold
from domain.cascade.states import Cascade
from domain.message import Submission
from domain.verdict import Verdict


def accept(submission: Submission) -> Verdict:
    """The verdict of a pipeline without a care."""
    return Verdict(
        submission.message_id,
        submission.message_id,
        submission.tenant_id,
        submission.received_at_ms,
        limit=100,
        remaining=99,
        reset_at_ms=submission.received_at_ms + 1_000,
    )


@dataclass(slots=True)
class FakeDesk:
    """Keeps what it was handed; `decide` gives the verdicts, `error` is raised instead, `hold` delays every answer.

    Each call of `submit` puts how many it was handed into `arrivals`.
    """

    slot: int = 3
    decide: Callable[[Submission], Verdict] = accept
    error: Exception | None = None
    hold: asyncio.Event | None = None
    arrivals: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    submitted: list[Submission] = field(default_factory=list)
    cascades: dict[str, Cascade] = field(default_factory=dict)
    cancel_answer: tuple[bool, str] = (True, "")
    money: Account | None = None

    async def submit(self, submissions: Sequence[Submission]) -> list[Verdict]:
        """The scripted verdicts, in order."""
        self.submitted += submissions
        self.arrivals.put_nowait(len(submissions))
        await self._pause()
        return [self.decide(submission) for submission in submissions]

    async def status(self, tenant_id: str, message_id: str) -> StatusTold:
        """The cascade that the test put in, to its own tenant only."""
        await self._pause()
        return StatusTold("ask", self._own(tenant_id, message_id))

    async def cancel(self, tenant_id: str, message_id: str) -> StatusTold:
        """The scripted answer."""
        await self._pause()
        return StatusTold("ask", self._own(tenant_id, message_id), *self.cancel_answer)

    async def account(self, tenant_id: str) -> Account:
        """The account that the test put in, or an empty one."""
        await self._pause()
        return self.money or Account(tenant_id)

    async def _pause(self) -> None:
        if self.error is not None:
            raise self.error
        if self.hold is not None:
            await self.hold.wait()

    def _own(self, tenant_id: str, message_id: str) -> Cascade | None:
        cascade = self.cascades.get(message_id)
        return cascade if cascade is not None and cascade.tenant_id == tenant_id else None
