"""A store of receipts in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ingress.smpp.receipt_store import ReceiptDue, ReceiptKey, ReceiptWanted, Room, Settled


@dataclass(slots=True)
class FakeReceipts:
    """`waiting` have no outcome yet; `due` have one and the time from which they may be lent. `error` is raised instead."""

    waiting: dict[ReceiptKey, ReceiptWanted] = field(default_factory=dict)
    due: dict[ReceiptKey, tuple[ReceiptDue, int]] = field(default_factory=dict)
    taken: list[ReceiptKey] = field(default_factory=list)
    error: Exception | None = None
    adds: int = 0

    async def add(self, receipts: Sequence[ReceiptWanted]) -> None:
        """Keep what is new."""
        self._fail()
        self.adds += 1
        for receipt in receipts:
            if receipt.key not in self.due:
                self.waiting.setdefault(receipt.key, receipt)

    async def forget(self, keys: Sequence[ReceiptKey]) -> None:
        """Drop them."""
        self._fail()
        for key in keys:
            self.waiting.pop(key, None)
            self.due.pop(key, None)

    async def settle(self, settled: Sequence[Settled]) -> int:
        """Move them from waiting to due."""
        self._fail()
        count = 0
        for end in settled:
            name = (end.tenant_id, end.message_id, end.kind)
            for key, wanted in tuple(self.waiting.items()):
                if (key.tenant_id, key.message_id, key.kind) != name:
                    continue
                del self.waiting[key]
                if not (wanted.failure_only and end.stat == "DELIVRD"):
                    self.due[key] = (ReceiptDue(wanted, end.stat, end.err, end.at_ms, 0), end.at_ms)
                    count += 1
        return count

    async def claim(self, rooms: Sequence[Room], now_ms: int, lease_ms: int) -> list[ReceiptDue]:
        """Lend the oldest."""
        self._fail()
        found = []
        for room in rooms:
            mine = [
                (at_ms, key)
                for key, (due, at_ms) in self.due.items()
                if at_ms <= now_ms and key.tenant_id == room.tenant_id and room.system_id in ("", due.wanted.system_id)
            ]
            for _, key in sorted(mine)[: room.count]:
                due = self.due[key][0]
                due = replace(due, attempts=due.attempts + 1)
                self.due[key] = (due, now_ms + lease_ms)
                found.append(due)
        return found

    async def done(self, keys: Sequence[ReceiptKey]) -> None:
        """Remember that they were taken."""
        await self.forget(keys)
        self.taken += keys

    async def retry(self, keys: Sequence[ReceiptKey], due_at_ms: int) -> None:
        """Move the time."""
        self._fail()
        for key in keys:
            if key in self.due:
                self.due[key] = (self.due[key][0], due_at_ms)

    async def expire(self, now_ms: int) -> int:
        """Drop the old."""
        self._fail()
        old = [key for key, wanted in self.waiting.items() if wanted.expires_at_ms <= now_ms]
        old += [key for key, (due, _) in self.due.items() if due.wanted.expires_at_ms <= now_ms]
        await self.forget(old)
        return len(old)

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error
