"""Receipts in TLVs and in text."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.smpp import commands as c
from schemas.smpp import receipt
from schemas.smpp.pdu import ShortMessage, Tlv
from schemas.smpp.udh import concat8

NEAR = datetime(2024, 6, 1, tzinfo=UTC)
TEXT = b"id:0123 sub:001 dlvrd:001 submit date:2406010900 done date:2406010901 stat:DELIVRD err:02a text:hello"


def delivery(text: bytes = b"", *tlvs: Tlv, esm_class: int = 4) -> ShortMessage:
    return ShortMessage(c.DELIVER_SM, esm_class=esm_class, short_message=text, tlvs=tlvs)


def read(message: ShortMessage) -> tuple[str, str, str] | None:
    found = receipt.read(message, NEAR)
    return None if found is None else (found.id, found.status, found.code)


def test_tlvs_are_believed_before_the_text() -> None:
    tlvs: tuple[Tlv, ...] = ((0x001E, b"abc\0"), (0x0427, b"\x05"), (0x0423, b"\x03\x00\x07"))
    assert read(delivery(TEXT, *tlvs)) == ("abc", "failed", "7")
    assert read(delivery(TEXT, *tlvs[:2])) == ("abc", "failed", "02a")
    assert read(delivery(TEXT, tlvs[0])) == ("abc", "delivered", "02a")
    assert read(delivery(TEXT)) == ("0123", "delivered", "02a")


def test_the_text_may_be_in_message_payload_behind_a_header_or_in_ucs2() -> None:
    assert read(delivery(b"", (0x0424, TEXT + b"\0"))) == ("0123", "delivered", "02a")
    assert read(delivery(concat8(1, 1, 1) + TEXT, esm_class=0x44)) == ("0123", "delivered", "02a")
    wide = delivery(TEXT.decode().encode("utf-16-be"))._replace(data_coding=8)
    assert read(wide) == ("0123", "delivered", "02a")


def test_a_receipt_sent_as_a_plain_message_is_recognised_and_a_message_is_not() -> None:
    assert read(delivery(TEXT, esm_class=0)) is not None
    assert read(delivery(b"", (0x001E, b"x"), (0x0427, b"\x02"), esm_class=0)) == ("x", "delivered", "")
    assert read(delivery(b"my id:5 please", esm_class=0)) is None
    assert read(delivery(TEXT, esm_class=0x08)) is None
    assert read(delivery(b"hello")) is None


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (0, "enroute"),
        (1, "enroute"),
        (2, "delivered"),
        (3, "expired"),
        (4, "failed"),
        (5, "failed"),
        (6, "accepted"),
        (7, "unknown"),
        (8, "rejected"),
        (9, "rejected"),
        (200, "unknown"),
    ],
)
def test_each_message_state_has_a_status(state: int, status: str) -> None:
    assert read(delivery(b"", (0x001E, b"x"), (0x0427, bytes((state,))))) == ("x", status, "")


def test_the_quoted_message_cannot_speak_for_the_receipt() -> None:
    found = receipt.parse_text("id:1 stat:UNDELIV err:9 text:id:2 stat:DELIVRD err:000", NEAR)
    assert (found.id, found.stat, found.err, found.text) == ("1", "UNDELIV", "9", "id:2 stat:DELIVRD err:000")


def test_a_state_word_without_its_key_still_counts() -> None:
    found = receipt.parse_text("id:1 done date:2406010901 DELIVRD err:000 text:", NEAR)
    assert (found.stat, found.state) == (None, 2)


def test_dates_of_ten_twelve_and_fourteen_digits() -> None:
    dates = {
        "2406010901": datetime(2024, 6, 1, 9, 1, tzinfo=UTC),
        "240601090130": datetime(2024, 6, 1, 9, 1, 30, tzinfo=UTC),
        "202406010901": datetime(2024, 6, 1, 9, 1, tzinfo=UTC),
        "20240601090130": datetime(2024, 6, 1, 9, 1, 30, tzinfo=UTC),
        "0000000000": None,
        "2413010901": None,
    }
    for text, moment in dates.items():
        assert receipt.parse_text(f"id:1 done date:{text} stat:DELIVRD", NEAR).done == moment


@given(st.binary(max_size=300))
def test_no_octets_make_reading_fail(octets: bytes) -> None:
    receipt.read(delivery(b"id:" + octets[:251]), NEAR)


@given(
    st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=36),
    st.sampled_from(sorted(receipt.STATES)),
    st.text(max_size=40),
)
def test_what_we_write_we_read(message_id: str, stat: str, quoted: str) -> None:
    text = receipt.build_text(message_id, stat, NEAR, NEAR, err="001", quoted=quoted)
    found = receipt.parse_text(text.decode("latin-1"), NEAR)
    assert (found.id, found.stat, found.err, found.submit, found.done) == (message_id, stat, "001", NEAR, NEAR)
    assert found.state == receipt.STATES[stat]


@pytest.mark.parametrize(
    ("response", "told"),
    [
        ("16fee0e525", "98765432101"),
        ("00B8BE19", "B8BE19"),
        ("0E999F21-81ef", "e999f21-81EF"),
        ("6aad5", "0000436949"),
        ("281605133", "10C8F40D"),
        ("abc", "ABC"),
    ],
)
def test_ids_that_carriers_write_in_two_ways_meet(response: str, told: str) -> None:
    assert receipt.same_message(response, told)


def test_candidates_begin_with_the_id_as_it_came_and_others_do_not_meet() -> None:
    assert receipt.candidates("00AB") == ("00AB", "00ab", "ab", "171")
    assert not receipt.same_message("12", "13")


@given(st.text(max_size=80))
def test_candidates_never_fail(message_id: str) -> None:
    assert receipt.candidates(message_id)[0] == message_id
