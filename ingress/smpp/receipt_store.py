"""The receipts that clients wait for: what is kept of each, and what a store of them can do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Kind = Literal["final", "intermediate"]


class ReceiptKey(NamedTuple):
    """Names a receipt for ever; `part` is zero for a message of one part."""

    tenant_id: str
    message_id: str
    part: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class ReceiptWanted:
    """A receipt that was asked for, with the addresses of the message as they came.

    `receipt_id` is the id that the client was given; `quoted` the beginning of the text. Times are ms since 1970.
    """

    key: ReceiptKey
    receipt_id: str
    system_id: str
    source_ton: int
    source_npi: int
    source_addr: str
    dest_ton: int
    dest_npi: int
    dest_addr: str
    failure_only: bool
    quoted: str
    submitted_at_ms: int
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a message: `stat` is the word of Appendix B, `err` up to three characters."""

    tenant_id: str
    message_id: str
    kind: Kind
    stat: str
    err: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class ReceiptDue:
    """A receipt lent out to be delivered; `attempts` counts this time."""

    wanted: ReceiptWanted
    stat: str
    err: str
    done_at_ms: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Room:
    """How many receipts the receivers of a tenant can take; an empty `system_id` stands for any of the tenant's."""

    tenant_id: str
    system_id: str
    count: int


class ReceiptStore(Protocol):
    """Keeps receipts until they are taken. TransientError from any method when the store is away."""

    async def add(self, receipts: Sequence[ReceiptWanted]) -> None:
        """The receipts are durable; one that is there already stays as it is."""
        ...

    async def forget(self, keys: Sequence[ReceiptKey]) -> None:
        """Receipts of messages that were not accepted are gone."""
        ...

    async def settle(self, settled: Sequence[Settled]) -> int:
        """The receipts of these messages are due, but those that were wanted for failures only and have none.

        Repeating it changes nothing. How many became due.
        """
        ...

    async def claim(self, rooms: Sequence[Room], now_ms: int, lease_ms: int) -> list[ReceiptDue]:
        """Due receipts, oldest first, as many as there is room for; nobody else gets them for `lease_ms`."""
        ...

    async def done(self, keys: Sequence[ReceiptKey]) -> None:
        """The receiver has them."""
        ...

    async def retry(self, keys: Sequence[ReceiptKey], due_at_ms: int) -> None:
        """They are due again then."""
        ...

    async def expire(self, now_ms: int) -> int:
        """Receipts that nobody took in time are gone; how many."""
        ...
