"""Alphabets by data_coding."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sms import ESCAPE, GSM7_BASIC, GSM7_EXTENSION
from schemas.smpp.national import LOCKING, PORTUGUESE, SPANISH, TURKISH
from schemas.smpp.text import alphabet_of, decode, decode_gsm7, encode_gsm7, encode_ucs2, invalid_gsm7, pack, unpack

GSM7_TEXT = st.text(st.sampled_from(GSM7_BASIC.replace(ESCAPE, "") + "".join(GSM7_EXTENSION.values())), max_size=200)
SEPTETS = st.binary(max_size=180).map(lambda octets: bytes(octet & 0x7F for octet in octets))


@given(GSM7_TEXT)
def test_gsm7_text_comes_back(text: str) -> None:
    octets = encode_gsm7(text)
    assert decode_gsm7(octets) == text
    assert not invalid_gsm7(octets)


@given(SEPTETS, st.integers(0, 6))
def test_packed_septets_come_back_when_their_number_is_known(septets: bytes, fill_bits: int) -> None:
    assert unpack(pack(septets, fill_bits), len(septets), fill_bits) == septets


@given(st.binary(max_size=200), st.integers(0, 255))
def test_no_octets_make_decoding_fail(octets: bytes, data_coding: int) -> None:
    text = decode(octets, data_coding)
    assert (text is None) == (alphabet_of(data_coding) is None)


@pytest.mark.parametrize(
    ("data_coding", "alphabet"),
    [
        (0, "gsm7"),
        (1, "ascii"),
        (2, None),
        (3, "latin1"),
        (4, None),
        (8, "ucs2"),
        (0x10, "gsm7"),
        (0x14, None),
        (0x18, "ucs2"),
        (0x1C, None),
        (0x5B, None),
        (0xC0, "gsm7"),
        (0xE0, "ucs2"),
        (0xF1, "gsm7"),
        (0xF5, None),
    ],
)
def test_each_data_coding_names_its_alphabet(data_coding: int, alphabet: str | None) -> None:
    assert alphabet_of(data_coding) == alphabet


def test_the_default_alphabet_is_the_carriers() -> None:
    assert decode(b"\x00\x05", 0) == "@é"
    assert decode(b"\xe9", 0, "latin1") == "é"


def test_national_shifts_replace_their_tables() -> None:
    assert decode_gsm7(b"\x1b\x73", single=TURKISH) == "ş"
    assert decode_gsm7(b"\x1b\x61\x1b\x65", single=SPANISH) == "á€"
    assert decode_gsm7(b"\x7b", locking=PORTUGUESE) == "ã"
    assert all(len(table) == 128 for table in LOCKING.values())


def test_characters_outside_the_alphabet_are_refused_and_an_escape_cannot_be_smuggled() -> None:
    for text in ("я", "a\x1bb"):
        with pytest.raises(UnicodeEncodeError):
            encode_gsm7(text)


def test_a_lone_surrogate_goes_out_as_a_replacement() -> None:
    assert encode_ucs2("a\ud800") == b"\x00a\xff\xfd"
    assert encode_ucs2("😀") == b"\xd8\x3d\xde\x00"


def test_an_odd_octet_at_the_end_of_ucs2_is_dropped() -> None:
    assert decode(b"\x00a\x00", 8) == "a"


def test_broken_gsm7_shows_replacements() -> None:
    assert decode_gsm7(b"a\x80\x1b") == "a��"
    assert invalid_gsm7(b"a\x80\x1b") == b"\x80\x1b"


def test_a_long_text_is_packed_in_no_time() -> None:
    septets = bytes(range(128)) * 500
    began = time.process_time()
    assert unpack(pack(septets, 3), len(septets), 3) == septets
    assert unpack(b"", 3) == bytes(3)
    assert time.process_time() - began < 0.2
