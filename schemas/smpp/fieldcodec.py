"""Mandatory fields by the field table, and TLVs: the careful way, which says exactly what is wrong with a body."""

from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from schemas.smpp.fields import STATUS_OF_FIELD, Kind, Layout
from schemas.smpp.pdu import Destination, Failure, FieldValue, Tlv
from schemas.smpp.status import ESME_RINVCMDLEN, ESME_RINVDESTFLAG, ESME_RINVNUMDESTS, ESME_RINVOPTPARSTREAM

SME_ADDRESS: Final = 1
DISTRIBUTION_LIST: Final = 2

_TLV = Struct(">HH")


@dataclass(slots=True)
class Body:
    """A body as far as it could be read; `label` is empty when all of it could, `clipped` is the lenient reading."""

    fields: dict[str, FieldValue] = field(default_factory=dict)
    tlvs: tuple[Tlv, ...] = ()
    label: str = ""
    status: int = 0
    clipped: dict[str, FieldValue] | None = None


class _FieldError(Exception):
    """A field that cannot be read: its label and the status for it."""

    def __init__(self, label: str, status: int) -> None:
        super().__init__(label)
        self.label = label
        self.status = status


def read_body(frame: bytes, at: int, layout: Layout, *, may_end_early: bool) -> Body:
    """Everything behind the header. Responses may end between two fields (4.4.2 note); requests may not."""
    body = Body()
    for name, kind in layout:
        if may_end_early and at == len(frame):
            return body
        try:
            value, at = _read(frame, at, name, kind)
        except _FieldError as fault:
            body.label, body.status = fault.label, fault.status
            if kind == "message" and at < len(frame):
                body.clipped = {**body.fields, name: frame[at + 1 :]}
            return body
        body.fields[name] = value
    body.tlvs, body.label = read_tlvs(frame, at)
    if body.label:
        body.status = ESME_RINVOPTPARSTREAM
        body.clipped = body.fields
    return body


def read_tlvs(frame: bytes, at: int) -> tuple[tuple[Tlv, ...], str]:
    """The TLVs from `at` to the end, and a label if the stream is broken: the last TLV is then clipped to what is there."""
    size = len(frame)
    found: list[Tlv] = []
    while size - at >= 4:
        tag, length = _TLV.unpack_from(frame, at)
        at += 4
        found.append((tag, frame[at : at + length]))
        if at + length > size:
            return tuple(found), f"tlv_length_beyond_pdu:0x{tag:04x}"
        at += length
    if at < size and any(frame[at:]):
        return tuple(found), "truncated_tlv_header"
    return tuple(found), ""


def _read(frame: bytes, at: int, name: str, kind: Kind) -> tuple[FieldValue, int]:
    match kind:
        case "string":
            return _string(frame, at, name)
        case "octet":
            if at >= len(frame):
                raise _FieldError(f"body_ends_before:{name}", ESME_RINVCMDLEN)
            return frame[at], at + 1
        case "message":
            return _message(frame, at, name)
        case "destinations":
            return _destinations(frame, at)
        case "failures":
            return _failures(frame, at)


def _string(frame: bytes, at: int, name: str) -> tuple[str, int]:
    end = frame.find(0, at)
    if end < 0:
        label = f"unterminated_c_octet_string:{name}"
        raise _FieldError(label, STATUS_OF_FIELD.get(name, ESME_RINVCMDLEN))
    return frame[at:end].decode("latin-1"), end + 1


def _message(frame: bytes, at: int, name: str) -> tuple[bytes, int]:
    if at >= len(frame):
        raise _FieldError("body_ends_before:sm_length", ESME_RINVCMDLEN)
    start = at + 1
    end = start + frame[at]
    if end > len(frame):
        raise _FieldError("sm_length_beyond_pdu", STATUS_OF_FIELD[name])
    return frame[start:end], end


def _destinations(frame: bytes, at: int) -> tuple[tuple[Destination, ...], int]:
    _need(frame, at, 1, "truncated_dest_address", ESME_RINVNUMDESTS)
    count = frame[at]
    at += 1
    found: list[Destination] = []
    for _ in range(count):
        entry, at = _destination(frame, at)
        found.append(entry)
    return tuple(found), at


def _destination(frame: bytes, at: int) -> tuple[Destination, int]:
    _need(frame, at, 1, "truncated_dest_address", ESME_RINVNUMDESTS)
    flag = frame[at]
    if flag == DISTRIBUTION_LIST:
        name, end = _entry_string(frame, at + 1, "truncated_dest_address", ESME_RINVNUMDESTS)
        return Destination(flag, dl_name=name), end
    if flag != SME_ADDRESS:
        raise _FieldError("invalid_dest_flag", ESME_RINVDESTFLAG)
    _need(frame, at + 1, 2, "truncated_dest_address", ESME_RINVNUMDESTS)
    address, end = _entry_string(frame, at + 3, "truncated_dest_address", ESME_RINVNUMDESTS)
    return Destination(flag, frame[at + 1], frame[at + 2], address), end


def _failures(frame: bytes, at: int) -> tuple[tuple[Failure, ...], int]:
    _need(frame, at, 1, "truncated_unsuccess_sme", ESME_RINVCMDLEN)
    count = frame[at]
    at += 1
    found: list[Failure] = []
    for _ in range(count):
        _need(frame, at, 2, "truncated_unsuccess_sme", ESME_RINVCMDLEN)
        address, end = _entry_string(frame, at + 2, "truncated_unsuccess_sme", ESME_RINVCMDLEN)
        _need(frame, end, 4, "truncated_unsuccess_sme", ESME_RINVCMDLEN)
        code = int.from_bytes(frame[end : end + 4], "big")
        found.append(Failure(frame[at], frame[at + 1], address, code))
        at = end + 4
    return tuple(found), at


def _need(frame: bytes, at: int, octets: int, label: str, status: int) -> None:
    if at + octets > len(frame):
        raise _FieldError(label, status)


def _entry_string(frame: bytes, at: int, label: str, status: int) -> tuple[str, int]:
    end = frame.find(0, at)
    if end < 0:
        raise _FieldError(label, status)
    return frame[at:end].decode("latin-1"), end + 1


def encode_field(name: str, kind: Kind, value: FieldValue | None) -> bytes:
    """One mandatory field on the wire, None as its empty value; raises ValueError for what does not fit."""
    match kind, value:
        case "string", str() | None:
            return _encode_string(name, value or "")
        case "octet", int() | None:
            return _encode_octet(name, value or 0)
        case "message", bytes() | None:
            octets = value or b""
            return _encode_octet(name, len(octets)) + octets
        case "destinations" | "failures", tuple() | None:
            entries = value or ()
            return _encode_octet(name, len(entries)) + b"".join([_encode_entry(entry) for entry in entries])
        case _:
            raise ValueError(f"{name} has the wrong type")


def _encode_string(name: str, value: str) -> bytes:
    if "\0" in value:
        raise ValueError(f"{name} holds a NUL")
    return value.encode("latin-1") + b"\0"


def _encode_octet(name: str, value: int) -> bytes:
    if not 0 <= value <= 255:
        raise ValueError(f"{name} does not fit an octet")
    return bytes((value,))


def _encode_entry(entry: Destination | Failure) -> bytes:
    if isinstance(entry, Destination) and entry.dest_flag == DISTRIBUTION_LIST:
        return bytes((DISTRIBUTION_LIST,)) + _encode_string("dl_name", entry.dl_name)
    address = bytes((entry.dest_addr_ton, entry.dest_addr_npi))
    address += _encode_string("destination_addr", entry.destination_addr)
    if isinstance(entry, Destination):
        return bytes((entry.dest_flag,)) + address
    return address + entry.error_status_code.to_bytes(4, "big")
