"""Compares a PDU as the codec reads it with a published reading: frame, fields, TLVs, text, reply, and the way back."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from schemas.smpp import codec, submit_check, udh
from schemas.smpp.commands import COMMANDS, DATA_SM, DELIVER_SM, SUBMIT_MULTI, is_response, name_of
from schemas.smpp.fields import LAYOUTS
from schemas.smpp.framing import BadLength, Splitter
from schemas.smpp.pdu import (
    ESM_TYPE_MASK,
    ESM_UDHI,
    TLV_MESSAGE_PAYLOAD,
    Broken,
    Decoded,
    Destination,
    MessageAck,
    Pdu,
    ShortMessage,
    tlv,
)
from schemas.smpp.status import ESME_RINVCMDLEN, ESME_ROK
from schemas.smpp.text import decode as decode_text
from schemas.smpp.text import decode_gsm7

Case = dict[str, Any]

NOW: Final = datetime(2020, 1, 1, tzinfo=UTC)
_MESSAGE_TYPES: Final = {
    0x00: "normal",
    0x04: "delivery_receipt",
    0x08: "delivery_acknowledgement",
    0x10: "manual_acknowledgement",
    0x18: "conversation_abort",
    0x20: "intermediate_notification",
}


def check(octets: bytes, expect: Case) -> Iterator[str]:
    """Every difference between our reading of `octets` and the expected one."""
    splitter = Splitter()
    frames = splitter.feed(octets)
    frame = "ok" if frames else "bad_length" if splitter.broken else "need_more"
    if frame != expect["frame"]:
        yield f"frame: {frame}"
        return
    if splitter.broken and not frames:
        yield from _check_bad_length(splitter.broken, expect)
    if not frames:
        if splitter.pending != len(octets) and not splitter.broken:
            yield "octets were lost"
        return
    rest = len(octets) - len(frames[0])
    if rest != expect.get("trailing_bytes_after_frame", 0):
        yield f"trailing: {rest}"
    pdu = codec.decode(frames[0])
    yield from _check_header(frames[0], pdu, expect)
    yield from _check_reply(pdu, expect)
    yield from _check_content(pdu, expect)
    if not isinstance(pdu, Broken):
        yield from _check_way_back(frames[0], pdu, expect)


def _check_bad_length(broken: BadLength, expect: Case) -> Iterator[str]:
    reply = {"command": "generic_nack", "command_status": ESME_RINVCMDLEN, "sequence_number": broken.sequence}
    if reply != expect.get("reply"):
        yield f"reply: {reply}"
    if broken.command_length != expect.get("command_length", broken.command_length):
        yield f"command_length: {broken.command_length}"


def _check_header(frame: bytes, pdu: Decoded, expect: Case) -> Iterator[str]:
    found = {
        "command_length": len(frame),
        "command_id": pdu.command_id,
        "command": name_of(pdu.command_id),
        "command_status": pdu.status,
        "sequence_number": pdu.sequence,
    }
    for name, value in found.items():
        if name in expect and value != expect[name]:
            yield f"{name}: {value}"


def _check_reply(pdu: Decoded, expect: Case) -> Iterator[str]:
    """The strict reply, the refusal by policy, and the lenient reading."""
    label = pdu.label if isinstance(pdu, Broken) else None
    if (label is None) != (expect.get("malformed") is None):  # the words are each reader's own; the reply is the wire's
        yield f"malformed: {label}"
    found = _reply(codec.fault_reply(pdu))
    if found != expect.get("reply"):
        yield f"reply: {found}"
    if "policy_reply" in expect:
        status = _policy(pdu)
        if status != expect["policy_reply"]["command_status"]:
            yield f"policy: {status}"
    if "lenient" in expect:
        clipped = pdu.clipped if isinstance(pdu, Broken) else None
        yield from _check_lenient(clipped, expect["lenient"])


def _policy(pdu: Decoded) -> int:
    if isinstance(pdu, ShortMessage):
        return submit_check.check(pdu, NOW)
    return submit_check.check_multi(pdu, NOW) if isinstance(pdu, Pdu) and pdu.command_id == SUBMIT_MULTI else ESME_ROK


def _reply(octets: bytes | None) -> Case | None:
    if octets is None:
        return None
    reply = codec.decode(octets)
    return {
        "command": name_of(reply.command_id),
        "command_status": reply.status,
        "sequence_number": reply.sequence,
    }


def _check_lenient(clipped: ShortMessage | Pdu | None, expect: Case) -> Iterator[str]:
    if not isinstance(clipped, ShortMessage):
        yield "nothing to read leniently"
        return
    found = {
        "short_message_hex": clipped.short_message.hex(),
        "short_message_text": clipped.short_message.decode("latin-1"),
        "tlvs": _tlvs(clipped.tlvs),
    }
    for name, value in found.items():
        if name in expect and value != expect[name]:
            yield f"lenient {name}: {value}"


def _check_content(pdu: Decoded, expect: Case) -> Iterator[str]:
    if "body" in expect and _body(pdu) != expect["body"]:
        yield f"body: {_body(pdu)}"
    if "tlvs" in expect and (isinstance(pdu, Broken) or _tlvs(pdu.tlvs) != expect["tlvs"]):
        yield "tlvs differ"
    if isinstance(pdu, ShortMessage | Pdu):
        yield from _check_message(pdu, expect)


def _check_message(pdu: ShortMessage | Pdu, expect: Case) -> Iterator[str]:
    fields: Case = pdu._asdict() if isinstance(pdu, ShortMessage) else dict(pdu.fields)
    octets = fields.get("short_message") or tlv(pdu.tlvs, TLV_MESSAGE_PAYLOAD) or b""
    header = udh.parse(octets) if fields.get("esm_class", 0) & ESM_UDHI else None
    if "udh" in expect:
        yield from compare_udh(header, expect["udh"])
    text = octets[header.octets :] if header else octets
    coding = fields.get("data_coding", 0)
    readings = {
        "text_if_default_is_gsm7": decode_gsm7(text),
        "text_if_ia5": decode_text(text, 1),
    }
    for name, value in readings.items():
        if name in expect and value != expect[name]:
            yield f"{name}: {value!r}"
    if "text" in expect:
        single = header.single_shift if header else 0
        locking = header.locking_shift if header else 0
        # Some senders announce a single shift and then write by the locking table of the same language.
        found = {
            decode_text(text, coding, locking=language, single=single) for language in (locking, locking or single)
        }
        if expect["text"] not in found:
            yield f"text: {found}"
    if "message_type" in expect and pdu.command_id in (DELIVER_SM, DATA_SM):
        kind = _MESSAGE_TYPES.get(fields.get("esm_class", 0) & ESM_TYPE_MASK, "reserved")
        if kind != expect["message_type"]:
            yield f"message_type: {kind}"


def compare_udh(header: udh.Udh | None, expect: Case) -> Iterator[str]:
    """The differences between a header and its expected reading."""
    if header is None:
        yield "no header"
        return
    found: Case = {"ies": [{"iei": f"0x{iei:02x}", "data": data.hex()} for iei, data in header.ies]}
    if concat := header.concat:
        found["concat"] = {"ref": concat.ref, "ref_bits": concat.ref_bits, "total": concat.total, "seq": concat.seq}
    if ports := header.ports:
        found["ports"] = {"dest": ports[0], "src": ports[1]}
    found["single_shift"] = header.single_shift
    found["locking_shift"] = header.locking_shift
    for name, value in expect.items():
        if found.get(name) != value:
            yield f"udh {name}: {found.get(name)}"


def _check_way_back(frame: bytes, pdu: ShortMessage | MessageAck | Pdu, expect: Case) -> Iterator[str]:
    """Encoding gives the same octets again, unless the frame deviates from the specification or left fields out.

    An error response may come with an empty body or none: there the same reading is enough.
    """
    if expect.get("deviations") or pdu.command_id not in COMMANDS:
        return
    if isinstance(pdu, Pdu) and len(pdu.fields) < len(LAYOUTS[pdu.command_id]):
        return
    again = codec.encode(pdu)
    if again != frame and not (is_response(pdu.command_id) and codec.decode(again) == pdu):
        yield f"encoded: {again.hex()}"


def _body(pdu: Decoded) -> Case:
    """The fields under the names of the published readings; sm_length and the octets as hexadecimal."""
    fields: Mapping[str, Any]
    if isinstance(pdu, Broken):
        fields = pdu.readable
    elif isinstance(pdu, ShortMessage):
        fields = {name: value for name, value in pdu._asdict().items() if name not in _NOT_BODY}
    elif isinstance(pdu, MessageAck):
        fields = {"message_id": pdu.message_id}
    else:
        fields = pdu.fields
    body: Case = {}
    value: Any
    for name, value in fields.items():
        if name == "short_message":
            body["sm_length"] = len(value)
            body["short_message_hex"] = value.hex()
        elif isinstance(value, tuple):
            body[name] = [_entry(entry) for entry in value]
        else:
            body[name] = value
    return body


def _entry(entry: Any) -> Case:
    values: Case = entry._asdict()
    if isinstance(entry, Destination):
        names = ("dest_flag", "dl_name") if entry.dest_flag == 2 else tuple(values)[:-1]
        return {name: values[name] for name in names}
    return values


def _tlvs(tlvs: tuple[tuple[int, bytes], ...]) -> list[list[str]]:
    return [[f"0x{tag:04x}", value.hex()] for tag, value in tlvs]


_NOT_BODY: Final = frozenset({"command_id", "status", "sequence", "tlvs"})
