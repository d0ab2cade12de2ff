"""Octets of a submit_sm or deliver_sm to text."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from domain.sms import GSM7_BASIC
from schemas.smpp import submit_check, udh
from schemas.smpp.content import Content, Place, content_of, text_of
from schemas.smpp.pdu import ESM_UDHI, ShortMessage
from schemas.smpp.text import encode_gsm7, encode_ucs2, pack

NOW = datetime(2026, 1, 15, tzinfo=UTC)
GSM_TEXT = st.text(st.sampled_from([char for char in GSM7_BASIC if char not in "\x1b\r@"] + list("[]{}€")), min_size=1)


def content(octets: bytes, coding: int = 0, esm_class: int = 0, *, packed: bool = False) -> Content | None:
    return content_of(ShortMessage(short_message=octets, data_coding=coding, esm_class=esm_class), packed=packed)


@given(GSM_TEXT, st.integers(1, 100), st.booleans())
def test_a_text_cut_anywhere_and_packed_or_not_is_whole_again(said: str, cut: int, packed: bool) -> None:
    septets = encode_gsm7(said)
    pieces = [piece for piece in (septets[:cut], septets[cut:]) if piece]
    parts = []
    for seq, piece in enumerate(pieces, 1):
        header = udh.concat8(9, len(pieces), seq)
        octets = header + (pack(piece, fill_bits=1) if packed else piece)
        found = content(octets, 0, ESM_UDHI, packed=packed)
        assert found is not None
        assert found.place == (Place(8, 9, len(pieces), seq) if len(pieces) > 1 else None)
        parts.append(found)
    assert text_of(parts).rstrip("\r@") == said.rstrip("\r@")


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60), st.integers(1, 100))
def test_ucs2_cut_anywhere_even_inside_a_character_is_whole_again(said: str, cut: int) -> None:
    octets = encode_ucs2(said)
    found = [content(udh.concat16(9, 2, n) + piece, 8, ESM_UDHI) for n, piece in ((1, octets[:cut]), (2, octets[cut:]))]
    parts = [part for part in found if part is not None]
    assert len(parts) == 2
    assert text_of(parts) == said


def test_parts_in_different_alphabets_are_read_each_by_its_own() -> None:
    parts = [content(b"a\x00"), content(encode_ucs2("日"), 8), content("é".encode("latin-1"), 3)]
    assert text_of([part for part in parts if part is not None]) == "a@日é"


def test_binary_and_messages_for_a_port_are_no_text() -> None:
    assert content(b"\1\2", 4) is None
    assert content(b"\1\2", 0xF5) is None
    assert content(b"\x06\x05\x04\x0b\x84\x23\xf0hi", 0, ESM_UDHI) is None


@given(st.binary(max_size=150), st.integers(0, 255), st.integers(0, 255), st.booleans())
def test_whatever_passes_the_check_has_a_text_or_is_refused_without_an_error(
    octets: bytes, coding: int, esm_class: int, packed: bool
) -> None:
    message = ShortMessage(destination_addr="45", short_message=octets, data_coding=coding, esm_class=esm_class)
    if submit_check.check(message, NOW) == 0:
        found = content_of(message, packed=packed)
        assert found is None or isinstance(text_of([found]), str)
