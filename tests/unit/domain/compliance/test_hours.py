"""The next opening of a window in a zone."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cascade.rule import DeliveryWindow
from domain.compliance.hours import is_open, next_open_ms, next_opening_ms
from domain.compliance.zones import is_zone

ALL = (1, 2, 3, 4, 5, 6, 7)
COPENHAGEN = "Europe/Copenhagen"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "start", "end", "zone", "days", "opens"),
    [
        ("2026-01-05T12:00", 480, 1260, "UTC", ALL, "2026-01-05T12:00"),
        ("2026-01-05T22:00", 480, 1260, "UTC", ALL, "2026-01-06T08:00"),
        ("2026-01-05T06:30", 480, 1260, COPENHAGEN, ALL, "2026-01-05T07:00"),
        ("2026-07-05T05:30", 480, 1260, COPENHAGEN, ALL, "2026-07-05T06:00"),
        ("2026-01-09T22:00", 480, 1260, "UTC", (1, 2, 3, 4, 5), "2026-01-12T08:00"),
        ("2026-01-05T12:00", 480, 481, "UTC", (1,), "2026-01-12T08:00"),
        ("2026-01-05T23:00", 1320, 360, "UTC", (1,), "2026-01-05T23:00"),
        ("2026-01-06T05:00", 1320, 360, "UTC", (1,), "2026-01-06T05:00"),
        ("2026-01-06T23:00", 1320, 360, "UTC", (1,), "2026-01-12T22:00"),
        ("2026-01-05T23:59", 0, 1440, "UTC", ALL, "2026-01-05T23:59"),
        ("2026-03-28T20:00", 480, 1260, COPENHAGEN, ALL, "2026-03-29T06:00"),
        ("2026-10-24T19:30", 480, 1260, COPENHAGEN, ALL, "2026-10-25T07:00"),
    ],
)
def test_a_window_opens_at_its_local_time(
    now: str, start: int, end: int, zone: str, days: tuple[int, ...], opens: str
) -> None:
    assert next_open_ms(at(now), start, end, zone, days) == at(opens)


def test_no_window_and_one_of_no_length_are_always_open() -> None:
    assert next_opening_ms(5, None, "UTC") == 5
    assert next_opening_ms(5, DeliveryWindow(60, 60), "UTC") == 5


@given(
    st.integers(at("2026-01-01T00:00"), at("2027-12-31T00:00")),
    st.integers(0, 1439),
    st.integers(0, 1440),
    st.sampled_from(("UTC", "Asia/Kolkata", "Pacific/Kiritimati", "America/Phoenix")),
    st.sets(st.integers(1, 7), min_size=1),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    now: int, start: int, end: int, zone: str, days: set[int]
) -> None:
    if start == end:
        return
    chosen = tuple(days)
    opens = next_open_ms(now, start, end, zone, chosen)
    assert is_open(opens, start, end, zone, chosen)
    assert now <= opens <= now + 8 * 24 * 3_600_000
    if opens > now:
        assert not is_open(opens - 1, start, end, zone, chosen)


@pytest.mark.parametrize("name", ["UTC", COPENHAGEN, "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_an_iana_name_is_a_zone(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize("name", ["", "America", "../etc/passwd", "a" * 300, "UTC\x00", "/UTC", "Mars/Phobos", "UTC\n"])
def test_what_a_stranger_writes_instead_is_none(name: str) -> None:
    assert not is_zone(name)
