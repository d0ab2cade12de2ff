"""Frames to PDUs and back. The four PDUs of a message's life have code of their own, the others go by the field table.

Decoding never raises: what cannot be read is a `Broken`. Encoding raises ValueError for a value that has no place on the
wire (a NUL inside a string, a character outside latin-1, a number too large), so nothing can be smuggled into a field.
"""

from struct import Struct
from struct import error as struct_error
from typing import Final

from schemas.smpp.commands import (
    COMMANDS,
    DELIVER_SM,
    DELIVER_SM_RESP,
    GENERIC_NACK,
    RESPONSE,
    SUBMIT_SM,
    SUBMIT_SM_RESP,
    WITHOUT_RESPONSE,
)
from schemas.smpp.fieldcodec import encode_field, read_body, read_tlvs
from schemas.smpp.fields import LAYOUTS
from schemas.smpp.framing import HEADER_OCTETS
from schemas.smpp.pdu import Broken, Decoded, FieldValue, MessageAck, Pdu, ShortMessage, Tlv
from schemas.smpp.status import ESME_RINVCMDID

MAX_SHORT_MESSAGE_OCTETS: Final = 254  # 5.2.21; more goes into message_payload

_HEADER = Struct(">4I")
_TAIL = Struct("5B")
_TLV = Struct(">HH")
_CHARACTER: Final = tuple(chr(octet) for octet in range(256))
_make = tuple.__new__


def decode(frame: bytes) -> Decoded:
    """The PDU in one whole frame (at least a header: `framing.Splitter` gives no other)."""
    _, command_id, status, sequence = _HEADER.unpack_from(frame)
    if command_id in (SUBMIT_SM, DELIVER_SM):
        try:
            return _short_message(frame, command_id, status, sequence)
        except (ValueError, IndexError, struct_error):
            return _decode_by_table(frame, command_id, status, sequence)
    if command_id in (SUBMIT_SM_RESP, DELIVER_SM_RESP) and frame[-1:] == b"\0" and frame.find(0, 16) == len(frame) - 1:
        return MessageAck(command_id, status, sequence, frame[16:-1].decode("latin-1"))
    return _decode_by_table(frame, command_id, status, sequence)


def _short_message(frame: bytes, command_id: int, status: int, sequence: int) -> ShortMessage:
    """The fast way through submit_sm and deliver_sm; any exception means: read it again by the table."""
    index = frame.index
    service_end = index(0, 16)
    source_end = index(0, service_end + 3)
    destination_end = index(0, source_end + 3)
    schedule_end = index(0, destination_end + 4)
    validity_end = index(0, schedule_end + 1)
    registered, replace, coding, default_id, length = _TAIL.unpack_from(frame, validity_end + 1)
    start = validity_end + 6
    end = start + length
    size = len(frame)
    if end > size:
        raise ValueError("sm_length beyond the PDU")
    tlvs: tuple[Tlv, ...] = ()
    if end < size:
        tlvs, label = read_tlvs(frame, end)
        if label:
            raise ValueError(label)
    values = (
        command_id,
        status,
        sequence,
        frame[16:service_end].decode("latin-1"),
        frame[service_end + 1],
        frame[service_end + 2],
        frame[service_end + 3 : source_end].decode("latin-1"),
        frame[source_end + 1],
        frame[source_end + 2],
        frame[source_end + 3 : destination_end].decode("latin-1"),
        frame[destination_end + 1],
        frame[destination_end + 2],
        frame[destination_end + 3],
        frame[destination_end + 4 : schedule_end].decode("latin-1"),
        frame[schedule_end + 1 : validity_end].decode("latin-1"),
        registered,
        replace,
        coding,
        default_id,
        frame[start:end],
        tlvs,
    )
    return _make(ShortMessage, values)


def _decode_by_table(frame: bytes, command_id: int, status: int, sequence: int) -> Decoded:
    layout = LAYOUTS.get(command_id)
    if layout is None or not layout:
        return Pdu(command_id, status, sequence)
    is_response = bool(command_id & RESPONSE)
    body = read_body(frame, HEADER_OCTETS, layout, may_end_early=is_response)
    if not body.label:
        return _pdu(command_id, status, sequence, body.fields, body.tlvs)
    clipped: ShortMessage | Pdu | None = None
    if body.clipped is not None:
        pdu = _pdu(command_id, status, sequence, body.clipped, body.tlvs)
        clipped = pdu if isinstance(pdu, ShortMessage | Pdu) else None
    return Broken(command_id, status, sequence, body.label, body.status, body.fields, clipped)


def _pdu(
    command_id: int, status: int, sequence: int, fields: dict[str, FieldValue], tlvs: tuple[Tlv, ...]
) -> ShortMessage | MessageAck | Pdu:
    if command_id in (SUBMIT_SM, DELIVER_SM):
        return _make(ShortMessage, (command_id, status, sequence, *fields.values(), tlvs))
    if command_id in (SUBMIT_SM_RESP, DELIVER_SM_RESP):
        return MessageAck(command_id, status, sequence, str(fields.get("message_id", "")), tlvs)
    return Pdu(command_id, status, sequence, fields, tlvs)


def encode(pdu: ShortMessage | MessageAck | Pdu) -> bytes:
    """The frame of a PDU. A field that `Pdu.fields` lacks is empty or zero; an error response is a header alone."""
    if isinstance(pdu, ShortMessage):
        return _encode_short_message(pdu)
    if isinstance(pdu, MessageAck):
        if pdu.status and not pdu.message_id and not pdu.tlvs:
            return _HEADER.pack(HEADER_OCTETS, pdu.command_id, pdu.status, pdu.sequence)
        if "\0" in pdu.message_id:
            raise ValueError("message_id holds a NUL")
        body = pdu.message_id.encode("latin-1") + b"\0"
    else:
        body = _encode_fields(pdu)
    if pdu.tlvs:
        body += encode_tlvs(pdu.tlvs)
    return _HEADER.pack(HEADER_OCTETS + len(body), pdu.command_id, pdu.status, pdu.sequence) + body


def _encode_short_message(pdu: ShortMessage) -> bytes:
    """One format, one encode: the whole mandatory part is latin-1, an octet being the character of its number."""
    (
        command_id,
        status,
        sequence,
        service,
        source_ton,
        source_npi,
        source,
        dest_ton,
        dest_npi,
        destination,
        esm,
        protocol,
        priority,
        schedule,
        validity,
        registered,
        replace,
        coding,
        default_id,
        message,
        tlvs,
    ) = pdu
    length = len(message)
    if length > MAX_SHORT_MESSAGE_OCTETS:
        raise ValueError("short_message is longer than 254 octets")
    if "\0" in service + source + destination + schedule + validity:
        raise ValueError("a string field holds a NUL")
    of = _CHARACTER
    try:
        head = (
            f"{service}\0{of[source_ton]}{of[source_npi]}{source}\0{of[dest_ton]}{of[dest_npi]}{destination}\0"
            f"{of[esm]}{of[protocol]}{of[priority]}{schedule}\0{validity}\0"
            f"{of[registered]}{of[replace]}{of[coding]}{of[default_id]}{of[length]}"
        ).encode("latin-1")
    except IndexError as error:
        raise ValueError("an octet field is larger than 255") from error
    rest = message + encode_tlvs(tlvs) if tlvs else message
    return _HEADER.pack(HEADER_OCTETS + len(head) + len(rest), command_id, status, sequence) + head + rest


def _encode_fields(pdu: Pdu) -> bytes:
    if pdu.status and not pdu.fields:
        return b""
    layout = LAYOUTS.get(pdu.command_id, ())
    return b"".join(encode_field(name, kind, pdu.fields.get(name)) for name, kind in layout)


def encode_tlvs(tlvs: tuple[Tlv, ...]) -> bytes:
    """The optional parameters behind the mandatory fields (3.2.4.1); a value over 65,535 octets raises ValueError."""
    try:
        return b"".join([_TLV.pack(tag, len(value)) + value for tag, value in tlvs])
    except struct_error as error:
        raise ValueError("a TLV is too long or its tag too large") from error


def header_only(command_id: int, status: int, sequence: int) -> bytes:
    """A PDU of 16 octets: enquire_link and its response, unbind, generic_nack, every error response."""
    return _HEADER.pack(HEADER_OCTETS, command_id, status, sequence)


def refusal(pdu: ShortMessage | MessageAck | Pdu | Broken, status: int) -> bytes | None:
    """The negative answer to a request: its own response, or generic_nack if it has none; None if it is a response."""
    command_id = pdu.command_id
    if command_id & RESPONSE or command_id in WITHOUT_RESPONSE:
        return None
    response = command_id | RESPONSE if command_id in COMMANDS else GENERIC_NACK
    return header_only(response, status, pdu.sequence)


def fault_reply(pdu: Decoded) -> bytes | None:
    """What a strict reader answers without knowing any more: to an unknown request, and to a broken one; else None."""
    if isinstance(pdu, Broken):
        return refusal(pdu, pdu.reply_status)
    if pdu.command_id not in COMMANDS:
        return refusal(pdu, ESME_RINVCMDID)
    return None
