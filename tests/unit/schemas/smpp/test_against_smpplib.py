"""Our codec against another's: smpplib writes what we read and reads what we write, of the PDUs that it has right.

Left out is what smpplib has wrong or lacks: TLVs that it does not know, versions but 3.4, seven PDUs.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import smpp

from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp.pdu import MessageAck, Pdu, ShortMessage

OCTET = st.integers(0, 255)
NUMBER = st.integers(1, 0x7FFFFFFF)
ADDRESSES = st.text(alphabet="+0123456789abcXYZ", max_size=20)
BINDS = {
    c.BIND_TRANSMITTER: "bind_transmitter", c.BIND_RECEIVER: "bind_receiver", c.BIND_TRANSCEIVER: "bind_transceiver",
}  # fmt: skip
MESSAGES = st.builds(
    ShortMessage,
    command_id=st.sampled_from([c.SUBMIT_SM, c.DELIVER_SM]),
    status=st.just(0),
    tlvs=st.just(()),
    sequence=NUMBER,
    service_type=st.text(alphabet="ABCabc", max_size=5),
    source_addr_ton=OCTET,
    source_addr_npi=OCTET,
    source_addr=ADDRESSES,
    dest_addr_ton=OCTET,
    dest_addr_npi=OCTET,
    destination_addr=ADDRESSES,
    esm_class=OCTET,
    protocol_id=OCTET,
    priority_flag=OCTET,
    schedule_delivery_time=st.sampled_from(["", "261124090000000+"]),
    validity_period=st.sampled_from(["", "000001000000000R"]),
    registered_delivery=OCTET,
    replace_if_present_flag=OCTET,
    data_coding=OCTET,
    sm_default_msg_id=OCTET,
    short_message=st.binary(max_size=254),
)
NAMES = [name for name in ShortMessage._fields if name not in ("command_id", "status", "sequence", "tlvs")]


class Numbers:
    """What smpplib asks for its sequence numbers."""

    def next_sequence(self) -> int:
        return 1


def theirs(name: str, sequence: int, **fields: Any) -> bytes:
    """What smpplib writes."""
    pdu = smpp.make_pdu(name, client=Numbers(), **fields)
    pdu.sequence = sequence
    return bytes(pdu.generate())


def read_by_them(frame: bytes) -> Any:
    """What smpplib reads."""
    return smpp.parse_pdu(frame, client=Numbers(), allow_unknown_opt_params=True)


def plain(value: Any) -> Any:
    """Their strings are octets."""
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""


@given(MESSAGES)
def test_they_read_the_messages_that_we_write(message: ShortMessage) -> None:
    found = read_by_them(codec.encode(message))
    assert found.sequence == message.sequence
    for name in NAMES:
        ours, read = getattr(message, name), getattr(found, name)
        assert (read or b"") == ours if name == "short_message" else (read or 0) == ours or plain(read) == ours, name


@given(MESSAGES)
def test_we_read_the_messages_that_they_write(message: ShortMessage) -> None:
    fields = {name: getattr(message, name) for name in NAMES}
    name = "submit_sm" if message.command_id == c.SUBMIT_SM else "deliver_sm"
    assert codec.decode(theirs(name, message.sequence, **fields)) == message


@pytest.mark.parametrize("command_id", BINDS)
@given(system_id=ADDRESSES, password=ADDRESSES, kind=ADDRESSES)
def test_binds_are_the_same(command_id: int, system_id: str, password: str, kind: str) -> None:
    fields = {"system_id": system_id[:15], "password": password[:8], "system_type": kind[:12]}
    ours = codec.encode(Pdu(command_id, 0, 7, {**fields, "interface_version": 0x34}))
    assert theirs(BINDS[command_id], 7, **fields) == ours


@given(NUMBER, ADDRESSES)
def test_answers_are_the_same(sequence: int, message_id: str) -> None:
    ours = codec.encode(MessageAck(c.SUBMIT_SM_RESP, 0, sequence, message_id))
    assert theirs("submit_sm_resp", sequence, message_id=message_id) == ours
    assert plain(read_by_them(ours).message_id) == message_id


@given(NUMBER)
def test_headers_alone_are_the_same(sequence: int) -> None:
    for command_id in (c.ENQUIRE_LINK, c.ENQUIRE_LINK_RESP, c.UNBIND, c.UNBIND_RESP):
        assert theirs(c.name_of(command_id), sequence) == codec.header_only(command_id, 0, sequence)
