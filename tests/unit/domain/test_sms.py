"""Alphabets and cuts of SMS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sms import (
    ESCAPE,
    GSM7_BASIC,
    GSM7_EXTENSION,
    GSM7_PART_SEPTETS,
    UCS2_PART_UNITS,
    encoding_of,
    segments,
    split,
)

BASIC = GSM7_BASIC.replace(ESCAPE, "")
EXTENSION = "".join(GSM7_EXTENSION.values())
GSM7_TEXT = st.text(st.sampled_from(BASIC + EXTENSION * 3), max_size=700)
ANY_TEXT = st.text(max_size=400)


def septets(text: str) -> int:
    return len(text) + sum(character in EXTENSION for character in text)


def units(text: str) -> int:
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def test_the_basic_alphabet_has_128_places_and_no_character_twice() -> None:
    assert len(GSM7_BASIC) == 128
    assert len(set(GSM7_BASIC)) == 128


@pytest.mark.parametrize(
    ("text", "encoding", "count"),
    [
        ("", "gsm7", 1),
        ("a" * 160, "gsm7", 1),
        ("a" * 161, "gsm7", 2),
        ("a" * 306, "gsm7", 2),
        ("a" * 307, "gsm7", 3),
        ("€" * 80, "gsm7", 1),
        ("€" * 81, "gsm7", 2),
        ("a" * 152 + "€" * 5, "gsm7", 2),
        ("я" * 70, "ucs2", 1),
        ("я" * 71, "ucs2", 2),
        ("я" * 134, "ucs2", 2),
        ("я" * 135, "ucs2", 3),
        ("😀" * 35, "ucs2", 1),
        ("😀" * 36, "ucs2", 2),
        ("😀" * 67, "ucs2", 3),
        ("`", "ucs2", 1),
        (ESCAPE, "ucs2", 1),
    ],
)
def test_the_price_of_a_text_in_segments(text: str, encoding: str, count: int) -> None:
    assert (encoding_of(text), segments(text)) == (encoding, count)


@given(GSM7_TEXT, st.sampled_from((8, 16)))
def test_gsm7_parts_join_to_the_text_and_fit_with_whole_escape_pairs(text: str, bits: int) -> None:
    encoding, parts = split(text, 8 if bits == 8 else 16)
    assert encoding == "gsm7"
    assert "".join(parts) == text
    limit = 160 if len(parts) == 1 else GSM7_PART_SEPTETS[8 if bits == 8 else 16]
    assert all(septets(part) <= limit for part in parts)
    assert all(septets(part) >= limit - 1 for part in parts[:-1])


@given(ANY_TEXT)
def test_any_parts_join_to_the_text_and_hold_whole_characters(text: str) -> None:
    encoding, parts = split("я" + text)
    assert encoding == "ucs2"
    assert "".join(parts) == "я" + text
    limit = 70 if len(parts) == 1 else UCS2_PART_UNITS[8]
    assert all(units(part) <= limit for part in parts)


@given(st.text(st.characters(), max_size=200))
def test_segments_count_the_parts_even_of_lone_surrogates(text: str) -> None:
    assert segments(text + "\ud800") == len(split(text + "\ud800")[1])
