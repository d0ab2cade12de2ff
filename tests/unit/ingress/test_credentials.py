"""The form of API secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.credentials import MAX_SECRET_OCTETS, Parsed, new_key_id, new_password, new_secret, parse_secret


@given(st.booleans())
def test_a_new_secret_says_which_key_it_is_of_and_fits_bcrypt(test: bool) -> None:
    key_id = new_key_id()
    secret = new_secret(key_id, test=test)
    assert parse_secret(secret) == Parsed(key_id, test)
    assert len(secret.encode()) <= MAX_SECRET_OCTETS


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "hk_live_abcd1234",
        "hk_prod_abcd1234_" + "x" * 32,
        "hk_live_ABCD1234_" + "x" * 32,
        "hk_live_abcd1234_" + "x" * 23,
        "hk_live_abcd1234_" + "x" * 40,
        "hk_live_abcd1234_" + "x" * 31 + "-",
        "hk_live_abcd1234_" + "x" * 32 + "\n",
        " hk_live_abcd1234_" + "x" * 32,
        "hk_live_abcd\0234_" + "x" * 32,
        "hk_live_٤٤٤٤_" + "x" * 32,
        "x" * 1_000_000,
    ],
)
def test_what_has_another_form_is_no_secret(wrong: str) -> None:
    assert parse_secret(wrong) is None


@given(st.text(max_size=100))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert parse_secret(text) is None


def test_passwords_have_the_length_asked_for_and_differ() -> None:
    assert len({new_password(8) for _ in range(100)}) == 100
    assert len(new_password(8)) == 8
