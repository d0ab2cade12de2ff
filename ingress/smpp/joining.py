"""Long messages in parts: each part is durable before it is acknowledged, and the last one brings the verdict on the whole.

A client may wait for the answer to one part before it sends the next, so no part can wait for the whole. What becomes of
a message whose parts were acknowledged and that was not accepted after all, the receipts of those parts say.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from domain.errors import TransientError
from ingress.smpp.caller import Caller
from ingress.smpp.ids import PREFIX
from ingress.smpp.outcome import SOME_ERROR
from ingress.smpp.part_store import Group, Joined, PartStore, StoredPart, frame_of
from ingress.smpp.receipt_store import ReceiptKey, ReceiptStore, ReceiptWanted, Settled
from ingress.smpp.settings import SmppServerSettings
from ingress.smpp.submit import Outcome, Part, Submitter
from ingress.smpp.wishes import receipts_of
from schemas.smpp import status as s
from schemas.smpp.content import content_of

TEMPORARY: Final = frozenset({s.ESME_RSYSERR, s.ESME_RMSGQFUL, s.ESME_RTHROTTLED})
"""After these the client sends the last part again; the others are still there."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Joiner:
    """Joins parts of a tenant from all its connections, whichever gateway they came to. `clock` is ms since 1970."""

    settings: SmppServerSettings
    parts: PartStore
    receipts: ReceiptStore
    submitter: Submitter
    clock: Callable[[], int]

    async def submit(self, caller: Caller, part: Part) -> Outcome:
        """Take a part: ESME_ROK when it is durable; for the last one the outcome of the whole."""
        place, message, now_ms = part.content.place, part.message, self.clock()
        if place is None:
            return await self.submitter.send(caller, [part])
        group = Group(
            caller.tenant_id, message.source_addr, message.destination_addr, place.kind, place.ref, place.total
        )
        message_id = f"{PREFIX}{self.submitter.new_id()}"
        stored = StoredPart(group, place.seq, message_id, caller.system_id, frame_of(message), now_ms)
        until_ms = now_ms + self.settings.parts_timeout_ms
        try:
            joined = await self.parts.add(stored, now_ms, until_ms, self.settings.max_parts_per_tenant)
            if joined is None:
                return Outcome(s.ESME_RMSGQFUL, detail="too many parts wait for the rest of their messages")
            if joined.replaced:
                await self._tell_lost(joined.replaced, "REJECTD")
            if joined.is_whole:
                return replace(await self._send(caller, joined, place.seq), part=place.seq)
        except TransientError:
            return Outcome(s.ESME_RSYSERR, detail="the part could not be stored")
        return Outcome(s.ESME_ROK, joined.parts[0].message_id, part=place.seq)

    async def expire(self) -> int:
        """Give up what was not complete in time, and say so to who asked for receipts; how many messages that were."""
        overdue = await self.parts.overdue(self.clock())
        groups = list(dict.fromkeys(part.group for part in overdue))
        await self._tell_lost(overdue, "EXPIRED")
        await self.parts.drop(groups)
        return len(groups)

    async def _send(self, caller: Caller, joined: Joined, last: int) -> Outcome:
        """Hand over the whole. Doing it again with the same message id gets the same verdict."""
        profile = caller.profile
        whole = [
            Part(part.message, content, part.system_id)
            for part in joined.parts
            if (content := content_of(part.message, profile.default_alphabet, packed=profile.packed)) is not None
        ]
        group, message_id = joined.parts[0].group, joined.parts[0].message_id
        outcome = await self.submitter.send(caller, whole, message_id)
        if outcome.status == s.ESME_ROK:
            await self._after(self._sent(joined, outcome.message_id != message_id))
        elif outcome.status not in TEMPORARY:
            await self._after(self._refused(joined.parts, group, last))
        return outcome

    async def _sent(self, joined: Joined, is_repeated: bool) -> None:
        """A message that was accepted before has its receipts under its first id: those of this one are not wanted."""
        group = joined.parts[0].group
        if is_repeated:
            await self.receipts.forget([key for part in joined.parts for key in _keys(part)])
        await self.parts.sent(group, self.clock() + self.settings.parts_repeat_ms)

    async def _refused(self, parts: Sequence[StoredPart], group: Group, last: int) -> None:
        """The last part's answer says it; those acknowledged before are told by their receipts."""
        await self.receipts.forget([k for p in parts for k in _keys(p) if p.seq == last or k.kind == "intermediate"])
        await self._tell_lost([part for part in parts if part.seq != last], "REJECTD")
        await self.parts.drop([group])

    async def _after(self, work: Awaitable[None]) -> None:
        """What follows a verdict cannot change it: what is not done now is done when the group's time is over."""
        try:
            await work
        except TransientError as error:
            log.warning("parts_store_away", reason=str(error))

    async def _tell_lost(self, parts: Iterable[StoredPart], stat: str) -> None:
        """The receipts of parts that will never be sent are due."""
        now_ms = self.clock()
        wanted: list[ReceiptWanted] = []
        for part in parts:
            named = (part.group.tenant_id, part.message_id, part.seq)
            until_ms = now_ms + self.settings.keep_receipts_ms
            wanted += receipts_of(part.message, named, part.system_id, "", part.received_at_ms, until_ms)
        names = dict.fromkeys((r.key.tenant_id, r.key.message_id) for r in wanted if r.key.kind == "final")
        await self.receipts.add([r for r in wanted if r.key.kind == "final"])
        await self.receipts.settle([Settled(*name, "final", stat, SOME_ERROR, now_ms) for name in names])


def _keys(part: StoredPart) -> tuple[ReceiptKey, ...]:
    named = (part.group.tenant_id, part.message_id, part.seq)
    return ReceiptKey(*named, "final"), ReceiptKey(*named, "intermediate")
