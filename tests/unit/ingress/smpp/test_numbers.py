"""Addresses by TON and NPI."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.addresses import Phone
from ingress.smpp.numbers import destination_of, sender_of
from ingress.smpp.settings import AccountProfile
from schemas.smpp import status as s

DANISH = AccountProfile(country_code="45", trunk_prefix="0")
PLAIN = AccountProfile()


@pytest.mark.parametrize(
    ("ton", "address", "profile", "wanted"),
    [
        (1, "4512345678", PLAIN, "+4512345678"),
        (1, "+4512345678", PLAIN, "+4512345678"),
        (1, "004512345678", PLAIN, "+4512345678"),
        (0, "4512345678", PLAIN, "+4512345678"),
        (0, "+4512345678", PLAIN, "+4512345678"),
        (0, "012345678", DANISH, "+4512345678"),
        (2, "12345678", DANISH, "+4512345678"),
        (2, "012345678", DANISH, "+4512345678"),
        (4, "12345678", DANISH, "+4512345678"),
        (2, "12345678", PLAIN, s.ESME_RINVDSTADR),
        (1, "", PLAIN, s.ESME_RINVDSTADR),
        (1, "45-1234", PLAIN, s.ESME_RINVDSTADR),
        (1, "٤٥١٢٣٤٥٦٧٨", PLAIN, s.ESME_RINVDSTADR),
        (1, "12", PLAIN, s.ESME_RINVDSTADR),
        (7, "4512345678", PLAIN, 0x50),
    ],
)
def test_a_destination_is_an_e164_number_or_the_status_that_refuses_it(
    ton: int, address: str, profile: AccountProfile, wanted: str | int
) -> None:
    found = destination_of(ton, 1, address, profile)
    assert (found.e164 if isinstance(found, Phone) else found) == wanted


@pytest.mark.parametrize(
    ("ton", "address", "wanted"),
    [
        (5, "Acme", "Acme"),
        (1, "4512345678", "+4512345678"),
        (1, "+4512345678", "+4512345678"),
        (3, "1212", "1212"),
        (1, "1212", "1212"),
        (0, "1212", "1212"),
        (0, "Acme", "Acme"),
        (1, "", ""),
        (1, "Acme", s.ESME_RINVSRCADR),
        (5, "A\x01", s.ESME_RINVSRCADR),
        (9, "Acme", 0x48),
    ],
)
def test_a_sender_is_what_handsets_will_show(ton: int, address: str, wanted: str | int) -> None:
    assert sender_of(ton, 0, address) == wanted


@given(
    st.integers(0, 255), st.integers(0, 255), st.text(st.characters(max_codepoint=255, min_codepoint=1), max_size=25)
)
def test_no_address_makes_an_error(ton: int, npi: int, address: str) -> None:
    assert isinstance(destination_of(ton, npi, address, DANISH), Phone | int)
    assert isinstance(sender_of(ton, npi, address), str | int)
