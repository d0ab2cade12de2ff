"""The parts of long messages that wait for the others: what is kept of each, and what a store of them can do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from schemas.smpp import codec
from schemas.smpp.commands import SUBMIT_SM
from schemas.smpp.pdu import ShortMessage


class Group(NamedTuple):
    """Names a long message while its parts come in: whose it is, between whom, and its reference (see `content.Place`)."""

    tenant_id: str
    source_addr: str
    dest_addr: str
    kind: int
    ref: int
    total: int


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One part, and by whom it came: each ESME gets the receipts of its own parts. `message_id` is the whole's."""

    group: Group
    seq: int
    message_id: str
    system_id: str
    frame: bytes
    received_at_ms: int

    @property
    def message(self) -> ShortMessage:
        """The submit_sm."""
        decoded = codec.decode(self.frame)
        if not isinstance(decoded, ShortMessage):
            raise TypeError("a stored part is no submit_sm")
        return decoded


@dataclass(frozen=True, slots=True)
class Joined:
    """What a part met: the parts of its message in order, itself included, and those of an earlier message it replaced."""

    parts: tuple[StoredPart, ...]
    replaced: tuple[StoredPart, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all parts are there."""
        return len(self.parts) == self.parts[0].group.total


class PartStore(Protocol):
    """Shared by all gateways of a lane. TransientError from any method when the store is away."""

    async def add(self, part: StoredPart, now_ms: int, until_ms: int, limit: int) -> Joined | None:
        """The part is durable; None when `limit` parts of the tenant wait already.

        A part that is there already and says the same is the same part. One that says something else begins a new
        message under the same reference, and so does one that comes after the group's time.
        """
        ...

    async def sent(self, group: Group, until_ms: int) -> None:
        """The whole was handed over; parts that come again until then are known."""
        ...

    async def drop(self, groups: Sequence[Group]) -> None:
        """The groups are gone."""
        ...

    async def overdue(self, now_ms: int) -> list[StoredPart]:
        """Parts of groups that were not complete in time; they stay until `drop`. Groups that were sent are forgotten."""
        ...


def frame_of(message: ShortMessage) -> bytes:
    """What is stored of a part; equal for parts that say the same."""
    return codec.encode(message._replace(command_id=SUBMIT_SM, status=0, sequence=0))
