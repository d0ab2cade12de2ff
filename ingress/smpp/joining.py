"""The parts of long messages, put together from all connections of a tenant to this process; every part waits for the whole.

A part is answered when the message is: nothing is acknowledged before it is durable. What waits is bounded in groups,
octets and time. A part that comes again (its first answer was lost with a connection) waits with the first, or learns
the outcome when the message was sent already.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ingress.expiring import Expiring
from ingress.smpp.content import Content, Place
from schemas.smpp.pdu import ShortMessage
from schemas.smpp.status import ESME_RMSGQFUL, ESME_RSUBMITFAIL

Group = tuple[str, str, str, int, int, int]
"""Tenant, source, destination, and kind, reference and total of the parts."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is answered: a status, and our message id when it was accepted."""

    status: int
    message_id: str = ""
    detail: str = ""


GIVEN_UP = Outcome(ESME_RSUBMITFAIL, detail="the other parts did not come in time")
FULL = Outcome(ESME_RMSGQFUL, detail="too many parts wait for the rest of their messages")


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it came."""

    message: ShortMessage
    content: Content


@dataclass(slots=True)
class Waiting:
    """A message of which some parts are there; `outcome` is set once for all of them."""

    group: Group
    until_ms: int
    outcome: "asyncio.Future[Outcome]"
    parts: dict[int, Part] = field(default_factory=dict)
    octets: int = 0


@dataclass(frozen=True, slots=True)
class Whole:
    """All parts in their order; whoever gets this submits the message and settles it."""

    waiting: Waiting
    parts: tuple[Part, ...]


class Joiner:
    """`now_ms` is monotonic. A full store refuses new parts: nobody can push another tenant's parts out."""

    def __init__(self, max_groups: int, max_octets: int, timeout_ms: int, now_ms: Callable[[], int]) -> None:
        self._max_groups = max_groups
        self._max_octets = max_octets
        self._timeout_ms = timeout_ms
        self._now_ms = now_ms
        self._groups: dict[Group, Waiting] = {}  # oldest first
        self._octets = 0
        self._sent: Expiring[tuple[Group, int, bytes], Outcome] = Expiring(max_groups, timeout_ms, now_ms)

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, tenant_id: str, part: Part, place: Place) -> "Whole | asyncio.Future[Outcome] | Outcome":
        """Take a part: the whole when it was the last one, else what to wait for, or the answer that it had before.

        A part with a number that is there already replaces nothing when it says the same; when it says something else
        the reference has been used again, and the message that waited is given up.
        """
        message = part.message
        group = (tenant_id, message.source_addr, message.destination_addr, place.kind, place.ref, place.total)
        before = self._sent.get((group, place.seq, part.content.octets))
        if before is not None and group not in self._groups:
            return before
        waiting = self._groups.get(group)
        if waiting is not None and place.seq in waiting.parts:
            if waiting.parts[place.seq].content == part.content:
                return waiting.outcome
            self._give_up(waiting)
            waiting = None
        size = len(part.content.octets)
        if self._octets + size > self._max_octets or (waiting is None and len(self._groups) >= self._max_groups):
            return FULL
        if waiting is None:
            future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            waiting = Waiting(group, self._now_ms() + self._timeout_ms, future)
            self._groups[group] = waiting
        waiting.parts[place.seq] = part
        waiting.octets += size
        self._octets += size
        if len(waiting.parts) < place.total:
            return waiting.outcome
        self._remove(waiting)
        return Whole(waiting, tuple(waiting.parts[seq] for seq in sorted(waiting.parts)))

    def settle(self, whole: Whole, outcome: Outcome) -> None:
        """Answer all parts; an accepted message is remembered for those that come again."""
        if outcome.message_id:
            for seq, part in enumerate(whole.parts, 1):
                self._sent.put((whole.waiting.group, seq, part.content.octets), outcome)
        if not whole.waiting.outcome.done():
            whole.waiting.outcome.set_result(outcome)

    def expire(self) -> int:
        """Give up what has waited too long; how many messages that were."""
        now_ms = self._now_ms()
        overdue = []
        for waiting in self._groups.values():
            if waiting.until_ms > now_ms:
                break
            overdue.append(waiting)
        for waiting in overdue:
            self._give_up(waiting)
        return len(overdue)

    def close(self) -> None:
        """Give up everything."""
        for waiting in tuple(self._groups.values()):
            self._give_up(waiting)

    def _give_up(self, waiting: Waiting) -> None:
        self._remove(waiting)
        if not waiting.outcome.done():
            waiting.outcome.set_result(GIVEN_UP)

    def _remove(self, waiting: Waiting) -> None:
        del self._groups[waiting.group]
        self._octets -= waiting.octets
