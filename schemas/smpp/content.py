"""What a submit_sm or deliver_sm says: its octets without the header, the alphabet, and the place in a long message."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.smpp import text, udh
from schemas.smpp.pdu import (
    ESM_UDHI,
    TLV_MESSAGE_PAYLOAD,
    TLV_SAR_MSG_REF_NUM,
    TLV_SAR_SEGMENT_SEQNUM,
    TLV_SAR_TOTAL_SEGMENTS,
    ShortMessage,
    tlv,
)

SAR_BITS: Final = 0
"""Stands for the references of the sar_* TLVs, which are apart from those of 8 and 16 bits in headers."""


@dataclass(frozen=True, slots=True)
class Place:
    """Part `seq` (from 1) of `total` under a reference; `kind` keeps the three spaces of references apart."""

    kind: int
    ref: int
    total: int
    seq: int


@dataclass(frozen=True, slots=True)
class Content:
    """Octets and how to read them; GSM septets are unpacked. `place` is None for a message of one part."""

    octets: bytes
    data_coding: int
    default: text.DefaultAlphabet
    locking: int = 0
    single: int = 0
    place: Place | None = None


def content_of(
    message: ShortMessage, default: text.DefaultAlphabet = "gsm7", *, packed: bool = False
) -> Content | None:
    """The content of a message; None for what is not text: binary, or for a port.

    `default` is what data_coding 0 means at the peer, `packed` that its GSM text comes packed.
    """
    octets = message.short_message or tlv(message.tlvs, TLV_MESSAGE_PAYLOAD) or b""
    alphabet = text.alphabet_of(message.data_coding, default)
    header = udh.parse(octets) if message.esm_class & ESM_UDHI else None
    if alphabet is None or (header is not None and header.ports is not None):
        return None
    place = _sar(message)
    locking = single = skipped = 0
    if header is not None:
        skipped, locking, single = header.octets, header.locking_shift, header.single_shift
        concat = header.concat
        place = place if concat is None else Place(concat.ref_bits, concat.ref, concat.total, concat.seq)
    octets = octets[skipped:]
    if packed and alphabet == "gsm7":
        octets = text.unpack(octets, fill_bits=-8 * skipped % 7)
    return Content(octets, message.data_coding, default, locking, single, _unless_whole(place))


def text_of(contents: Sequence[Content]) -> str:
    """The text of the parts in order. Parts in one alphabet are read as one, so that a character may lie across a cut."""
    first = contents[0]
    if all(_reading(content) == _reading(first) for content in contents):
        return _decode(first, b"".join(content.octets for content in contents))
    return "".join(_decode(content, content.octets) for content in contents)


def _decode(content: Content, octets: bytes) -> str:
    decoded = text.decode(octets, content.data_coding, content.default, locking=content.locking, single=content.single)
    return decoded or ""


def _reading(content: Content) -> tuple[int, str, int, int]:
    return content.data_coding, content.default, content.locking, content.single


def _unless_whole(place: Place | None) -> Place | None:
    return None if place is None or place.total == 1 else place


def _sar(message: ShortMessage) -> Place | None:
    ref = tlv(message.tlvs, TLV_SAR_MSG_REF_NUM)
    total = tlv(message.tlvs, TLV_SAR_TOTAL_SEGMENTS)
    seq = tlv(message.tlvs, TLV_SAR_SEGMENT_SEQNUM)
    if not ref or not total or not seq:
        return None
    return Place(SAR_BITS, int.from_bytes(ref, "big"), total[0], seq[0])
