"""An attempt on the wire of one carrier."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import AttemptDue, Failed
from domain.sms import segments
from egress.smpp.config import CarrierConfig
from egress.smpp.parts import plan
from schemas.smpp import udh
from schemas.smpp.codec import decode
from schemas.smpp.pdu import ShortMessage, tlv
from schemas.smpp.text import decode as decode_text
from tests.fakes.sms_attempts import sms

CARRIER = CarrierConfig(name="sim", host="h", port=1, system_id="u", password="p")


def planned(attempt: AttemptDue, config: CarrierConfig = CARRIER, reference: int = 0x1234) -> list[ShortMessage]:
    frames = plan(attempt, config, reference)
    assert not isinstance(frames, Failed), frames
    pdus = [decode(frame) for frame in frames]
    assert all(isinstance(pdu, ShortMessage) for pdu in pdus)
    return [pdu for pdu in pdus if isinstance(pdu, ShortMessage)]


def text_of(pdu: ShortMessage, default: str = "gsm7") -> str:
    octets = pdu.short_message or tlv(pdu.tlvs, 0x0424) or b""
    header = udh.parse(octets) if pdu.esm_class & 0x40 else None
    text = decode_text(
        octets[header.octets :] if header else octets, pdu.data_coding, "gsm7" if default == "gsm7" else "latin1"
    )
    assert text is not None
    return text


def test_a_short_text_is_one_part_to_an_international_number_without_its_plus() -> None:
    (pdu,) = planned(sms("hello", address="+4599000001"))
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, "4599000001")
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class, pdu.registered_delivery) == (b"hello", 0, 0, 1)


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("Hermes", (5, 0, "Hermes")),
        ("+4512345678", (1, 1, "4512345678")),
        ("4512345678", (1, 1, "4512345678")),
        ("1234", (3, 0, "1234")),
        ("", (0, 0, "")),
        ("Café", (5, 0, "Café")),
    ],
)
def test_the_source_is_typed_by_what_it_is(sender: str, expected: tuple[int, int, str]) -> None:
    (pdu,) = planned(sms(sender=sender))
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == expected


def test_a_carrier_may_fix_the_type_of_its_sources() -> None:
    (pdu,) = planned(sms(sender="1234"), replace(CARRIER, source_ton=6))
    assert (pdu.source_addr_ton, pdu.source_addr) == (6, "1234")


@pytest.mark.parametrize(
    ("attempt", "code"),
    [
        (sms(sender="a name too long"), "invalid_sender"),
        (sms(sender="nul\0"), "invalid_sender"),
        (sms(sender="жук"), "invalid_sender"),
        (sms(address="bob@example.org"), "invalid_address"),
        (sms(address="+45\0"), "invalid_address"),
        (sms(""), "invalid_length"),
        (sms("я" * 67 * 256), "invalid_length"),
    ],
)
def test_what_cannot_be_put_on_the_wire_fails_for_good(attempt: AttemptDue, code: str) -> None:
    refusal = plan(attempt, CARRIER, 1)
    assert isinstance(refusal, Failed)
    assert (refusal.permanent, refusal.code) == (True, code)


@given(st.text(min_size=1, max_size=600), st.sampled_from(("udh8", "udh16", "sar")))
def test_the_parts_of_any_text_are_marked_and_join_to_it(text: str, long_messages: str) -> None:
    ways = {"udh8": "udh8", "udh16": "udh16"}
    config = replace(CARRIER, long_messages=ways.get(long_messages, "sar"))  # type: ignore[arg-type]  # a literal by then
    pdus = planned(sms(text), config)
    assert "".join(text_of(pdu) for pdu in pdus) == text
    assert all(len(pdu.short_message) <= 160 for pdu in pdus)
    if len(pdus) == 1:
        return
    for seq, pdu in enumerate(pdus, 1):
        if long_messages == "sar":
            assert [tlv(pdu.tlvs, tag) for tag in (0x020C, 0x020E, 0x020F)] == [
                b"\x12\x34",
                bytes([len(pdus)]),
                bytes([seq]),
            ]
            continue
        header = udh.parse(pdu.short_message)
        assert header is not None
        wide = long_messages == "udh16"
        assert header.concat == udh.Concat(0x1234 if wide else 0x34, 16 if wide else 8, len(pdus), seq)


@given(st.text(min_size=161, max_size=600))
def test_a_payload_carries_any_text_at_once(text: str) -> None:
    (pdu,) = planned(sms(text), replace(CARRIER, long_messages="payload"))
    assert text_of(pdu) == text
    assert bool(pdu.short_message) == (segments(text) == 1)


def test_a_latin1_carrier_gets_latin1_and_what_that_lacks_in_ucs2() -> None:
    latin = replace(CARRIER, default_alphabet="latin1")
    (pdu,) = planned(sms("smørrebrød"), latin)
    assert (pdu.short_message, pdu.data_coding) == ("smørrebrød".encode("latin-1"), 0)
    (pdu,) = planned(sms("5 €"), latin)
    assert (pdu.short_message, pdu.data_coding) == ("5 €".encode("utf-16-be"), 8)


def test_a_config_that_could_never_work_is_refused_at_once_and_the_password_is_not_shown() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        replace(CARRIER, window=0)
    with pytest.raises(ValueError, match="ASCII"):
        replace(CARRIER, password="p\0")
    assert "password" not in repr(CARRIER)
