"""Links to leave by: they name who they were made for, and nobody else can make one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.unsubscribe import Leaving, Unsubscribing, unsubscribing

ANN = Leaving("t1", "email", "ann@customer.example")
LINKS = unsubscribing("https://api.example/", b"salt")
ADDRESS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=100)


@given(ADDRESS)
def test_a_token_names_whom_it_was_made_for(address: str) -> None:
    who = Leaving("tenant-7", "email", address)
    assert LINKS.read(LINKS.token(who)) == who


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda octets: octets.hex()))
def test_whatever_a_stranger_sends_names_nobody(token: str) -> None:
    assert LINKS.read(token) is None


def test_a_token_of_another_key_or_a_changed_one_names_nobody() -> None:
    token = LINKS.token(ANN)
    assert unsubscribing("https://api.example", b"pepper").read(token) is None
    assert LINKS.read(("B" if token[0] != "B" else "C") + token[1:]) is None
    assert LINKS.read(token * 9) is None


def test_the_header_fields_offer_one_click() -> None:
    fields = LINKS.headers(ANN)
    assert fields == {
        "List-Unsubscribe": f"<https://api.example/u/{LINKS.token(ANN)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert LINKS.found_in(f"<mailto:x@y.example>, {fields['List-Unsubscribe']}") == ANN
    assert LINKS.found_in("<https://api.example/u/other>") is None


@pytest.mark.parametrize(
    ("url", "offered"),
    [
        ("https://api.example", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://[::1]:80", True),
        ("http://api.example", False),
        ("", False),
    ],
)
def test_a_link_is_offered_over_https_or_on_this_machine_only(url: str, offered: bool) -> None:
    assert bool(unsubscribing(url, b"salt").headers(ANN)) is offered


def test_a_link_that_would_not_fit_in_a_line_is_not_offered() -> None:
    assert LINKS.headers(Leaving("t1", "email", "x" * 700)) == {}


def test_the_key_is_not_shown() -> None:
    assert "salt" not in repr(Unsubscribing(b"salt"))
