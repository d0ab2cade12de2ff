"""Durations, ids and log-in names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.settings.identity import MAX_SYSTEM_ID, login_name, tenant_id
from streams.settings.values import duration_ms, duration_text


@given(st.integers(0, 999_999_999))
def test_a_duration_is_read_as_it_is_written(value_ms: int) -> None:
    assert duration_ms(duration_text(value_ms)) == value_ms


@pytest.mark.parametrize("wrong", ["", "1", "1 h", "-1s", "1w", 5, None, "1h30m"])
def test_what_is_no_duration_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="a duration is"):
        duration_ms(wrong)


def test_a_day_is_written_in_hours() -> None:
    assert duration_text(86_400_000) == "24h"


@given(st.text(min_size=1, max_size=80))
def test_a_login_name_fits_into_a_bind_and_is_the_same_each_time(name: str) -> None:
    login = login_name(name)

    assert 0 < len(login) <= MAX_SYSTEM_ID
    assert login.isascii()
    assert login == login_name(name)


def test_a_tenants_id_comes_from_its_name_alone() -> None:
    assert tenant_id("Acme") == tenant_id("Acme") != tenant_id("acme")
    assert login_name("Demo Enterprise") == "demo-enterprise"
