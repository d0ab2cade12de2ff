"""The PDUs as values. They are named tuples: one is made for each PDU on the wire, and a frozen dataclass costs 15 times more."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from schemas.smpp.commands import SUBMIT_SM

Tlv = tuple[int, bytes]  # tag and raw value, known or not

TLV_USER_MESSAGE_REFERENCE: Final = 0x0204
TLV_SAR_MSG_REF_NUM: Final = 0x020C
TLV_SAR_TOTAL_SEGMENTS: Final = 0x020E
TLV_SAR_SEGMENT_SEQNUM: Final = 0x020F
TLV_SC_INTERFACE_VERSION: Final = 0x0210
TLV_RECEIPTED_MESSAGE_ID: Final = 0x001E
TLV_NETWORK_ERROR_CODE: Final = 0x0423
TLV_MESSAGE_PAYLOAD: Final = 0x0424
TLV_MESSAGE_STATE: Final = 0x0427

INTERFACE_VERSION: Final = 0x34

ESM_UDHI: Final = 0x40
ESM_RECEIPT: Final = 0x04
ESM_INTERMEDIATE: Final = 0x20
ESM_TYPE_MASK: Final = 0x3C


class ShortMessage(NamedTuple):
    """A submit_sm (4.4.1) or a deliver_sm (4.6.1): they have one layout. sm_length is the length of `short_message`."""

    command_id: int = SUBMIT_SM
    status: int = 0
    sequence: int = 0
    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: tuple[Tlv, ...] = ()


class MessageAck(NamedTuple):
    """A submit_sm_resp or a deliver_sm_resp; `message_id` is empty when the body was absent."""

    command_id: int
    status: int
    sequence: int
    message_id: str = ""
    tlvs: tuple[Tlv, ...] = ()


class Destination(NamedTuple):
    """One entry of submit_multi: flag 1 is an address, flag 2 a distribution list named by `dl_name` (4.5.1.1)."""

    dest_flag: int
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    dl_name: str = ""


class Failure(NamedTuple):
    """One unsuccess_sme of submit_multi_resp (4.5.2.1)."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str
    error_status_code: int


FieldValue = int | str | bytes | tuple[Destination, ...] | tuple[Failure, ...]


class Pdu(NamedTuple):
    """Any other PDU, also one of an unknown command: its fields by name; those an answer left out are absent."""

    command_id: int
    status: int
    sequence: int
    fields: Mapping[str, FieldValue] = {}
    tlvs: tuple[Tlv, ...] = ()

    def text(self, name: str) -> str:
        """A C-octet string field, empty when it is absent."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """An integer field, zero when it is absent."""
        value = self.fields.get(name, 0)
        return value if isinstance(value, int) else 0


class Broken(NamedTuple):
    """A PDU whose frame was good and whose body was not.

    `label` says where, `reply_status` is what its response carries (a broken response gets none), `readable` is what came
    before the fault, and `clipped` the PDU as a lenient reader takes it: the octets that are there, the whole TLVs.
    """

    command_id: int
    status: int
    sequence: int
    label: str
    reply_status: int
    readable: Mapping[str, FieldValue]
    clipped: "ShortMessage | Pdu | None"


Decoded = ShortMessage | MessageAck | Pdu | Broken


def tlv(tlvs: tuple[Tlv, ...], tag: int) -> bytes | None:
    """The value of the first TLV with this tag."""
    for found, value in tlvs:
        if found == tag:
            return value
    return None
