"""A store of parts in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ingress.smpp.part_store import Group, Joined, StoredPart


@dataclass(slots=True)
class Kept:
    """A group: its parts by number, its time, and whether the whole was handed over."""

    parts: dict[int, StoredPart]
    until_ms: int
    sent: bool = False


@dataclass(slots=True)
class FakeParts:
    """`error` is raised instead of an answer."""

    groups: dict[Group, Kept] = field(default_factory=dict)
    error: Exception | None = None

    async def add(self, part: StoredPart, now_ms: int, until_ms: int, limit: int) -> Joined | None:
        """Keep it with its group."""
        self._fail()
        replaced: tuple[StoredPart, ...] = ()
        kept = self.groups.get(part.group)
        if kept is not None:
            same = kept.parts.get(part.seq)
            if kept.until_ms <= now_ms or (same is not None and same.frame != part.frame):
                replaced = () if kept.sent else self._in_order(kept)
                del self.groups[part.group]
                kept = None
            elif same is not None:
                return Joined(self._in_order(kept))
        mine = [k for group, k in self.groups.items() if group.tenant_id == part.group.tenant_id and not k.sent]
        if sum(len(k.parts) for k in mine) >= limit:
            return None
        if kept is None:
            kept = self.groups[part.group] = Kept({}, until_ms)
        message_id = next((p.message_id for p in kept.parts.values()), part.message_id)
        kept.parts[part.seq] = replace(part, message_id=message_id)
        return Joined(self._in_order(kept), replaced)

    async def sent(self, group: Group, until_ms: int) -> None:
        """Mark it."""
        self._fail()
        if group in self.groups:
            self.groups[group].sent = True
            self.groups[group].until_ms = until_ms

    async def drop(self, groups: Sequence[Group]) -> None:
        """Forget them."""
        self._fail()
        for group in groups:
            self.groups.pop(group, None)

    async def overdue(self, now_ms: int) -> list[StoredPart]:
        """Those that were not sent; those that were are forgotten."""
        self._fail()
        old = {group: kept for group, kept in self.groups.items() if kept.until_ms <= now_ms}
        await self.drop([group for group, kept in old.items() if kept.sent])
        return [part for kept in old.values() if not kept.sent for part in self._in_order(kept)]

    def _in_order(self, kept: Kept) -> tuple[StoredPart, ...]:
        return tuple(kept.parts[seq] for seq in sorted(kept.parts))

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error
