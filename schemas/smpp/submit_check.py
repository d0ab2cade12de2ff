"""What a well-formed submit_sm may still say wrong, and the status for it (SMPP 3.4 sections 4.4.1 and 5.2)."""

from datetime import datetime
from typing import Any, Final

from schemas.smpp import smpp_time, udh
from schemas.smpp import status as s
from schemas.smpp.pdu import (
    ESM_TYPE_MASK,
    ESM_UDHI,
    TLV_MESSAGE_PAYLOAD,
    TLV_SAR_MSG_REF_NUM,
    TLV_SAR_SEGMENT_SEQNUM,
    TLV_SAR_TOTAL_SEGMENTS,
    Destination,
    Failure,
    Pdu,
    ShortMessage,
    tlv,
)

MAX_SERVICE_TYPE: Final = 5
MAX_ADDRESS: Final = 20
MAX_DESTINATIONS: Final = 254  # 4.5.1
MAX_PRIORITY: Final = 3
TON_ALPHANUMERIC: Final = 5

_SUBMIT_TYPES: Final = frozenset({0x00, 0x08, 0x10})  # normal, delivery acknowledgement, user acknowledgement
_SAR_TAGS: Final = (TLV_SAR_MSG_REF_NUM, TLV_SAR_TOTAL_SEGMENTS, TLV_SAR_SEGMENT_SEQNUM)


def check(message: ShortMessage, now: datetime) -> int:
    """The status that refuses the submit_sm, ESME_ROK if nothing is wrong with it by itself; `now` is aware."""
    if len(message.service_type) > MAX_SERVICE_TYPE:
        return s.ESME_RINVSERTYP
    if len(message.source_addr) > MAX_ADDRESS:
        return s.ESME_RINVSRCADR
    if not _is_number(message.destination_addr) or message.dest_addr_ton == TON_ALPHANUMERIC:
        return s.ESME_RINVDSTADR
    if message.priority_flag > MAX_PRIORITY:
        return s.ESME_RINVPRTFLG
    if message.registered_delivery & 0x03 == 0x03:
        return s.ESME_RINVREGDLVFLG
    if message.replace_if_present_flag > 1:
        return s.ESME_RINVREPFLAG
    if message.sm_default_msg_id:
        return s.ESME_RINVDFTMSGID
    return _check_times(message, now) or _check_content(message)


def check_multi(pdu: Pdu, now: datetime) -> int:
    """The same for a submit_multi: each of its 1 to 254 destinations a number, none a distribution list, which we have not."""
    destinations = pdu.fields.get("dest_address", ())
    if not isinstance(destinations, tuple) or not 1 <= len(destinations) <= MAX_DESTINATIONS:
        return s.ESME_RINVNUMDESTS
    for destination in destinations:
        if isinstance(destination, Destination) and destination.dl_name:
            return s.ESME_RINVDLNAME
        status = check(_as_submit(pdu, destination), now)
        if status != s.ESME_ROK:
            return status
    return s.ESME_ROK


def _as_submit(pdu: Pdu, destination: Destination | Failure) -> ShortMessage:
    fields: dict[str, Any] = {name: value for name, value in pdu.fields.items() if name != "dest_address"}
    return ShortMessage(
        **fields,
        sequence=pdu.sequence,
        dest_addr_ton=destination.dest_addr_ton,
        dest_addr_npi=destination.dest_addr_npi,
        destination_addr=destination.destination_addr,
        tlvs=pdu.tlvs,
    )


def _check_times(message: ShortMessage, now: datetime) -> int:
    schedule = expiry = None
    if message.schedule_delivery_time:
        schedule = smpp_time.parse(message.schedule_delivery_time, now)
        if schedule is None:
            return s.ESME_RINVSCHED
    if message.validity_period:
        expiry = smpp_time.parse(message.validity_period, now)
        if expiry is None:
            return s.ESME_RINVEXPIRY
    if schedule is not None and expiry is not None and schedule > expiry:
        return s.ESME_RINVEXPIRY
    return s.ESME_ROK


def _check_content(message: ShortMessage) -> int:
    if message.esm_class & ESM_TYPE_MASK not in _SUBMIT_TYPES:
        return s.ESME_RINVESMCLASS
    payload = tlv(message.tlvs, TLV_MESSAGE_PAYLOAD)
    content = message.short_message or payload or b""
    has_sar = any(tlv(message.tlvs, tag) is not None for tag in _SAR_TAGS)
    if message.esm_class & ESM_UDHI and (has_sar or udh.parse(content) is None):
        return s.ESME_RINVESMCLASS
    if has_sar and not _sar_is_whole(message):
        return s.ESME_RINVOPTPARAMVAL
    if not content or (message.short_message and payload) or len(message.short_message) > 254:
        return s.ESME_RINVMSGLEN
    return s.ESME_ROK


def _sar_is_whole(message: ShortMessage) -> bool:
    """All three sar_* are there, and the segment is one of the total (5.3.2.22 to 24)."""
    ref, total, seq = (tlv(message.tlvs, tag) for tag in _SAR_TAGS)
    if ref is None or total is None or seq is None or len(ref) != 2 or len(total) != 1 or len(seq) != 1:
        return False
    return 1 <= seq[0] <= total[0]


def _is_number(address: str) -> bool:
    digits = address.removeprefix("+")
    return digits.isascii() and digits.isdigit() and len(digits) <= MAX_ADDRESS
