"""What stands behind the gateways while they are fuzzed: a desk that accepts, stores in memory, a transport without a socket."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from domain.billing.money import Account
from domain.cascade.commands import StatusTold
from domain.message import Submission
from domain.tenant import ApiKey, Tenant
from domain.verdict import Verdict
from ingress.smpp.part_store import Group, Joined, StoredPart
from ingress.smpp.receipt_store import ReceiptDue, ReceiptKey, ReceiptWanted, Room, Settled
from tables.config import ConfigTable, config_key

USER = "acme"
WORD = "secret"
NOW_MS = 1_800_000_000_000
PEER = ("192.0.2.1", 40_000)
_KEY = ApiKey("key-1", "acme", "fuzz", ("send", "read"))


class AcceptingDesk:
    """Implements `domain.ports.Desk`: everything is accepted, and nothing is known afterwards."""

    slot = 0

    async def submit(self, submissions: Sequence[Submission]) -> list[Verdict]:
        """One yes for each."""
        return [Verdict(one.message_id, one.message_id, one.tenant_id, one.received_at_ms) for one in submissions]

    async def status(self, _tenant_id: str, _message_id: str) -> StatusTold:
        """Unknown."""
        return StatusTold("ask", None)

    async def cancel(self, _tenant_id: str, _message_id: str) -> StatusTold:
        """Unknown."""
        return StatusTold("ask", None, done=False)

    async def account(self, tenant_id: str) -> Account:
        """Empty."""
        return Account(tenant_id)


class NoReceipts:
    """Implements `ReceiptStore`: none is ever due."""

    async def add(self, receipts: Sequence[ReceiptWanted]) -> None:
        """Forgotten at once."""

    async def forget(self, keys: Sequence[ReceiptKey]) -> None:
        """Nothing to do."""

    async def settle(self, _settled: Sequence[Settled]) -> int:
        """None became due."""
        return 0

    async def claim(self, _rooms: Sequence[Room], _now_ms: int, _lease_ms: int) -> list[ReceiptDue]:
        """None is due."""
        return []

    async def done(self, keys: Sequence[ReceiptKey]) -> None:
        """Nothing to do."""

    async def retry(self, keys: Sequence[ReceiptKey], due_at_ms: int) -> None:
        """Nothing to do."""

    async def expire(self, _now_ms: int) -> int:
        """None is old."""
        return 0


@dataclass(slots=True)
class MemoryParts:
    """Implements `PartStore` for one process that nobody else shares."""

    groups: dict[Group, dict[int, StoredPart]] = field(default_factory=dict)

    async def add(self, part: StoredPart, _now_ms: int, _until_ms: int, limit: int) -> Joined | None:
        """Kept with its group; another part of the same number replaces the group."""
        if sum(len(parts) for parts in self.groups.values()) >= limit:
            return None
        kept, replaced = self.groups.setdefault(part.group, {}), tuple[StoredPart, ...]()
        if part.seq in kept and kept[part.seq].frame != part.frame:
            replaced, kept = tuple(kept.values()), {}
            self.groups[part.group] = kept
        kept.setdefault(part.seq, part)
        return Joined(tuple(kept[number] for number in sorted(kept)), replaced)

    async def sent(self, group: Group, _until_ms: int) -> None:
        """It stays known."""

    async def drop(self, groups: Sequence[Group]) -> None:
        """They are gone."""
        for group in groups:
            self.groups.pop(group, None)

    async def overdue(self, _now_ms: int) -> list[StoredPart]:
        """None is late."""
        return []


class MemoryTransport(asyncio.Transport):
    """Keeps what is written; `close` ends the protocol at the next turn of the loop, as a socket's does."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": PEER})
        self.written = bytearray()
        self._protocol = protocol
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += data

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._closing

    def close(self) -> None:
        """End, once."""
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """End, once."""
        self.close()

    def can_write_eof(self) -> bool:
        """It cannot."""
        return False

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Writing never waits."""

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Whose it is."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """It stays whose it is."""


async def resolve(user: str, password: str) -> ApiKey | None:
    """The key of the one account."""
    return _KEY if (user, password) == (USER, WORD) else None


def config() -> ConfigTable:
    """One tenant and its key."""
    table = ConfigTable()
    tenant = Tenant("acme", "Acme", "business", "active", sender_id="Acme", from_domain="acme.example")
    table.apply(config_key(tenant), tenant, 1)
    table.apply(config_key(_KEY), _KEY, 2)
    return table


def numbers() -> Callable[[], str]:
    """Ids in the form of UUIDv7, one after the other."""
    count = iter(range(1 << 48))
    return lambda: f"00000000-0000-7000-8000-{next(count):012x}"


async def settled(is_over: Callable[[], bool], turns: int) -> bool:
    """Let the loop turn until it is over; False when it is not after so many turns."""
    for _ in range(turns):
        if is_over():
            return True
        await asyncio.sleep(0)
    return is_over()
