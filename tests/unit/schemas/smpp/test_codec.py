"""The codec: ways there and back, faults and what is answered to them."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.smpp import commands as c
from schemas.smpp.codec import decode, encode, fault_reply, header_only, refusal
from schemas.smpp.fields import LAYOUTS, Kind
from schemas.smpp.pdu import Broken, Destination, Failure, MessageAck, Pdu, ShortMessage

TEXT = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=25)
OCTET = st.integers(0, 255)
SEQUENCE = st.integers(0, 0xFFFFFFFF)
TLVS = st.lists(st.tuples(st.integers(1, 0xFFFF), st.binary(max_size=30)), max_size=4).map(tuple)
SHORT_MESSAGES = st.builds(
    ShortMessage,
    st.sampled_from((c.SUBMIT_SM, c.DELIVER_SM)),
    SEQUENCE,
    SEQUENCE,
    TEXT,
    OCTET,
    OCTET,
    TEXT,
    OCTET,
    OCTET,
    TEXT,
    OCTET,
    OCTET,
    OCTET,
    TEXT,
    TEXT,
    OCTET,
    OCTET,
    OCTET,
    OCTET,
    st.binary(max_size=254),
    TLVS,
)
DESTINATION = st.tuples(st.just(1), OCTET, OCTET, TEXT).map(lambda entry: Destination(*entry)) | TEXT.map(
    lambda name: Destination(2, dl_name=name)
)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "octet": OCTET,
    "message": st.binary(max_size=254),
    "destinations": st.lists(DESTINATION, min_size=1, max_size=5).map(tuple),
    "failures": st.lists(st.builds(Failure, OCTET, OCTET, TEXT, SEQUENCE), max_size=5).map(tuple),
}
BY_TABLE = sorted(set(LAYOUTS) - {c.SUBMIT_SM, c.DELIVER_SM, c.SUBMIT_SM_RESP, c.DELIVER_SM_RESP})


@st.composite
def pdus(draw: st.DrawFn) -> Pdu:
    command_id = draw(st.sampled_from(BY_TABLE))
    layout = LAYOUTS[command_id]
    fields = {name: draw(VALUES[kind]) for name, kind in layout}
    return Pdu(command_id, draw(SEQUENCE), draw(SEQUENCE), fields, draw(TLVS) if layout else ())


def submit(**changes: Any) -> ShortMessage:
    message = ShortMessage(
        sequence=7, source_addr="12345", destination_addr="31600000000", short_message=b"hello world"
    )
    return message._replace(**changes)


def resized(octets: bytes) -> bytes:
    return len(octets).to_bytes(4, "big") + octets[4:]


def broken(octets: bytes) -> tuple[str, int]:
    pdu = decode(resized(octets))
    assert isinstance(pdu, Broken), pdu
    return pdu.label, pdu.reply_status


@given(SHORT_MESSAGES)
def test_a_short_message_comes_back_as_it_went(message: ShortMessage) -> None:
    assert decode(encode(message)) == message


@given(pdus())
def test_every_other_pdu_comes_back_as_it_went(pdu: Pdu) -> None:
    assert decode(encode(pdu)) == pdu


@given(st.sampled_from((c.SUBMIT_SM_RESP, c.DELIVER_SM_RESP)), SEQUENCE, SEQUENCE, TEXT, TLVS)
def test_an_ack_comes_back_as_it_went(command_id: int, status: int, sequence: int, message_id: str, tlvs: Any) -> None:
    ack = MessageAck(command_id, status, sequence, message_id, tlvs)
    assert decode(encode(ack)) == ack


@given(st.sampled_from(sorted(LAYOUTS)), st.binary(max_size=80))
def test_no_octets_make_decoding_fail_and_each_broken_request_has_one_answer(command_id: int, body: bytes) -> None:
    pdu = decode(resized(header_only(command_id, 0, 3) + body))
    reply = fault_reply(pdu)
    if reply is not None:
        answer = decode(reply)
        assert isinstance(pdu, Broken)
        assert (answer.sequence, answer.status) == (3, pdu.reply_status)
        assert c.is_response(answer.command_id)
        assert not c.is_response(command_id)


@given(SHORT_MESSAGES, st.data())
def test_a_short_message_cut_anywhere_is_broken_or_lost_only_tlvs(message: ShortMessage, data: st.DataObject) -> None:
    frame = encode(message)
    cut = data.draw(st.integers(16, len(frame) - 1))
    pdu = decode(resized(frame[:cut]))
    assert isinstance(pdu, Broken) or (isinstance(pdu, ShortMessage) and pdu.tlvs != message.tlvs)


def test_each_fault_has_its_label_and_its_status() -> None:
    frame = encode(submit())
    end_of_source = frame.index(b"12345\0") + 6
    assert broken(frame[:16] + b"ABCDEF") == ("unterminated_c_octet_string:service_type", 0x15)
    assert broken(frame[: end_of_source - 1]) == ("unterminated_c_octet_string:source_addr", 0x0A)
    assert broken(frame[:end_of_source]) == ("body_ends_before:dest_addr_ton", 0x02)
    assert broken(frame[: end_of_source + 5]) == ("unterminated_c_octet_string:destination_addr", 0x0B)
    assert broken(frame[:-12]) == ("body_ends_before:sm_length", 0x02)
    assert broken(frame[:-1]) == ("sm_length_beyond_pdu", 0x01)
    assert broken(frame + b"\x04") == ("truncated_tlv_header", 0xC0)
    assert broken(frame + b"\x04\x24\x00\x05abcd") == ("tlv_length_beyond_pdu:0x0424", 0xC0)


def test_faults_of_submit_multi_have_their_own_statuses() -> None:
    one = encode(Pdu(c.SUBMIT_MULTI, 0, 1, {"dest_address": (Destination(1, 1, 1, "447700900123"),)}))
    count = one.index(b"\x01\x01\x01\x01447")
    assert broken(one[: count + 6]) == ("truncated_dest_address", 0x33)
    assert broken(one[:count] + b"\x01\x03" + one[count + 2 :]) == ("invalid_dest_flag", 0x40)


def test_a_deliver_sm_that_is_too_short_is_also_read_leniently() -> None:
    frame = encode(submit(command_id=c.DELIVER_SM, tlvs=((0x0427, b"\x02"),)))
    clipped = decode(resized(frame + b"\x00\x1e\x00\x413005\0"))
    assert isinstance(clipped, Broken)
    assert isinstance(clipped.clipped, ShortMessage)
    assert clipped.clipped.tlvs == ((0x0427, b"\x02"), (0x001E, b"3005\0"))


def test_up_to_three_nuls_behind_a_body_are_ignored() -> None:
    for pad in range(4):
        assert decode(resized(encode(submit()) + bytes(pad))) == submit()


def test_a_response_may_end_between_two_fields() -> None:
    assert decode(resized(header_only(c.SUBMIT_SM_RESP, 0x0B, 5))) == MessageAck(c.SUBMIT_SM_RESP, 0x0B, 5)
    short = decode(resized(header_only(c.QUERY_SM_RESP, 0, 7) + b"id\0\0"))
    assert short == Pdu(c.QUERY_SM_RESP, 0, 7, {"message_id": "id", "final_date": ""})


def test_an_unknown_request_gets_generic_nack_and_a_known_one_its_own_response() -> None:
    assert fault_reply(decode(header_only(0x0110, 0, 9))) == header_only(c.GENERIC_NACK, 3, 9)
    assert fault_reply(decode(header_only(0x80000110, 0, 9))) is None
    assert refusal(Pdu(c.QUERY_SM, 0, 9), 3) == header_only(c.QUERY_SM_RESP, 3, 9)
    assert refusal(Pdu(c.OUTBIND, 0, 9), 3) is None


@pytest.mark.parametrize(
    "message",
    [
        submit(source_addr="a\0b"),
        submit(destination_addr="ж"),
        submit(short_message=bytes(255)),
        submit(esm_class=256),
        submit(tlvs=((0x0424, bytes(65_536)),)),
    ],
)
def test_what_has_no_place_on_the_wire_is_refused(message: ShortMessage) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode(message)


def test_a_nul_cannot_be_smuggled_into_any_pdu() -> None:
    with pytest.raises(ValueError, match="NUL"):
        encode(Pdu(c.QUERY_SM, 0, 1, {"message_id": "a\0b"}))
    with pytest.raises(ValueError, match="NUL"):
        encode(MessageAck(c.SUBMIT_SM_RESP, 0, 1, "a\0b"))
    with pytest.raises(ValueError, match="wrong type"):
        encode(Pdu(c.QUERY_SM, 0, 1, {"message_id": 5}))


def test_every_kind_of_field_is_drawn_by_these_tests() -> None:
    assert set(VALUES) == set(get_args(Kind))
    assert set(LAYOUTS) == set(c.COMMANDS)
