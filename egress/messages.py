"""Text messages from handsets: to the tenant whose number it is, durable before the carrier hears that we have them."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from domain.inbound import Received, ReceivedPart
from egress.lanes import Count
from egress.smpp.config import CarrierConfig
from egress.smpp.inbound import OnMessage
from schemas.smpp.content import Content, Place, content_of, text_of
from schemas.smpp.pdu import (
    TLV_MESSAGE_PAYLOAD,
    TLV_RECEIPTED_MESSAGE_ID,
    TLV_SAR_MSG_REF_NUM,
    TLV_SAR_SEGMENT_SEQNUM,
    TLV_SAR_TOTAL_SEGMENTS,
    TLV_USER_MESSAGE_REFERENCE,
    ShortMessage,
    tlv,
)
from schemas.topics import INBOUND, PARTS, Topic
from tables.config import ConfigTable

TON_INTERNATIONAL: Final = 1
TON_UNKNOWN: Final = 0
REPEAT_MS: Final = 60_000
"""The same octets between the same two, again within so long, are the carrier's repetition."""
MAX_REMEMBERED: Final = 50_000
ID_DIGITS: Final = 32
MIN_INTERNATIONAL_DIGITS: Final = 7

_TELLING: Final = frozenset({
    TLV_USER_MESSAGE_REFERENCE, TLV_SAR_MSG_REF_NUM, TLV_SAR_SEGMENT_SEQNUM, TLV_SAR_TOTAL_SEGMENTS, TLV_MESSAGE_PAYLOAD,
})  # fmt: skip
"""TLVs that make a message another one; in others a carrier may write the time of each try."""
_INTERNATIONAL = re.compile(r"[1-9]\d{8,14}")

log = structlog.get_logger()

Publish = Callable[[Topic, str, Any], Awaitable[None]]
"""Returns when the record is durable; what it raises ends the process, and the carrier sends the message again."""


@dataclass(slots=True)
class _Seen:
    """Messages of the last minute by their octets, oldest first, with the minute that their ids were made in."""

    minutes: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def minute_of(self, digest: bytes, now_ms: int) -> int:
        """The minute of the first one like this that is not over; now, for a new one."""
        first_ms, minute = self.minutes.get(digest, (0, 0))
        if now_ms - first_ms < REPEAT_MS:
            return minute
        self.minutes.pop(digest, None)
        minute = now_ms // REPEAT_MS
        self.minutes[digest] = (now_ms, minute)
        if len(self.minutes) > MAX_REMEMBERED:
            del self.minutes[next(iter(self.minutes))]
        return minute


@dataclass(frozen=True, slots=True)
class Messages:
    """The receiver of all carriers' messages in a process; `config` is kept up to date by somebody else."""

    publish: Publish
    config: ConfigTable
    now_ms: Callable[[], int]
    count: Count
    _seen: _Seen = field(default_factory=_Seen)

    def of(self, carrier: CarrierConfig) -> OnMessage:
        """What a carrier gives its messages to: it returns when the message is durable, or known to be nobody's."""

        async def take(message: ShortMessage) -> None:
            self.count("hermes_smpp_deliver_sm_total", carrier=carrier.name, kind=await self._take(carrier, message))

        return take

    async def _take(self, carrier: CarrierConfig, message: ShortMessage) -> str:
        """Store the message, or log why not; what it was. Another try would bring the same octets, so nothing is refused."""
        content = content_of(message, carrier.default_alphabet)
        if content is None:
            log.warning("inbound_not_text", carrier=carrier.name, data_coding=message.data_coding)
            return "not_text"
        now_ms = self.now_ms()
        inbound_id = self._id(carrier.name, message, now_ms)
        sender = number_of(message.source_addr, message.source_addr_ton)
        recipient = number_of(message.destination_addr, message.dest_addr_ton)
        if content.place is not None and 1 <= content.place.seq <= content.place.total:
            part = _part(inbound_id, sender, recipient, carrier.name, now_ms, content, content.place)
            await self.publish(PARTS, sender, part)
            return "part"
        text = text_of([content])
        tenant = self.config.tenant_of_number(recipient, text)
        if tenant is None:
            log.warning("inbound_unroutable", carrier=carrier.name, number=recipient)
            return "unroutable"
        await self.publish(INBOUND, tenant.tenant_id, Received(
            inbound_id, tenant.tenant_id, "sms", sender, recipient, "", text, carrier.name, now_ms,
        ))  # fmt: skip
        return "message"

    def _id(self, carrier: str, message: ShortMessage, now_ms: int) -> str:
        """The same for the same message: by the carrier's own id where it gives one, otherwise within a minute."""
        given = tlv(message.tlvs, TLV_RECEIPTED_MESSAGE_ID)
        own = message._replace(sequence=0, tlvs=tuple(t for t in message.tlvs if t[0] in _TELLING))
        digest = hashlib.sha256(repr((carrier, given if given else own)).encode()).digest()
        if not given:
            minute = self._seen.minute_of(digest, now_ms)
            digest = hashlib.sha256(digest + minute.to_bytes(8, "big")).digest()
        return f"in-{digest.hex()[:ID_DIGITS]}"


def number_of(address: str, ton: int) -> str:
    """An address as numbers are written: E.164 with its plus, or a short code, a national number or a name as it is.

    A long number of unknown type is taken for an international one (SMPP 5.2.5; many carriers leave the type out).
    """
    digits = address.removeprefix("+")
    if ton in (TON_INTERNATIONAL, TON_UNKNOWN):
        digits = digits.removeprefix("00")
    if not digits.isascii() or not digits.isdigit():
        return address
    if len(digits) < MIN_INTERNATIONAL_DIGITS:
        return digits
    marked = digits != address or ton == TON_INTERNATIONAL
    return f"+{digits}" if marked or (ton == TON_UNKNOWN and _INTERNATIONAL.fullmatch(digits)) else digits


def _part(
    inbound_id: str, sender: str, recipient: str, carrier: str, at_ms: int, content: Content, place: Place
) -> ReceivedPart:
    return ReceivedPart(
        inbound_id, sender, recipient, carrier, at_ms, place.kind, place.ref, place.total, place.seq,
        content.octets, content.data_coding, content.default, content.locking, content.single,
    )  # fmt: skip
