"""Absolute and relative times."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.smpp.smpp_time import format_absolute, format_relative, parse

NOW = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("240601120000000+", NOW),
        ("240601120000008+", NOW.replace(tzinfo=timezone(timedelta(hours=2)))),
        ("240601120000504-", NOW.replace(tzinfo=timezone(timedelta(hours=-1)), microsecond=500_000)),
        ("000002030405000R", NOW + timedelta(days=2, hours=3, minutes=4, seconds=5)),
        ("380101000000000+", datetime(1938, 1, 1, tzinfo=UTC)),
        ("370101000000000+", datetime(2037, 1, 1, tzinfo=UTC)),
        ("240631120000000+", None),
        ("240601120000049+", None),
        ("240601120000000*", None),
        ("24060112000000+", None),
        ("2406011200000 0+", None),
        ("٢٤٠٦٠١١٢٠٠٠٠٠٠٠+", None),
    ],
)
def test_a_time_is_read_by_section_7(text: str, moment: datetime | None) -> None:
    assert parse(text, NOW) == moment


@given(st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - zone is given
def test_an_absolute_time_comes_back_to_a_tenth_of_a_second(moment: datetime) -> None:
    again = parse(format_absolute(moment), NOW)
    assert again is not None
    assert timedelta(0) <= moment - again < timedelta(seconds=0.1)


@given(st.integers(1, 99 * 86_400))
def test_a_relative_time_comes_back(seconds: int) -> None:
    assert parse(format_relative(timedelta(seconds=seconds)), NOW) == NOW + timedelta(seconds=seconds)


def test_a_relative_time_has_its_limits() -> None:
    assert format_relative(timedelta(days=400)) == "000099000000000R"
    assert format_relative(timedelta(0)) == "000000000001000R"
