"""Quiet hours and delivery windows together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cascade.rule import DeliveryWindow
from domain.compliance.hours import is_open
from domain.compliance.quiet import EVERY_DAY, binds, ends_ms, narrowed
from domain.tenant import QuietHours
from tests.unit.domain.given import HOUR, NOW

NIGHT = QuietHours(21 * 60, 8 * 60)
minutes = st.integers(0, 1439)
MONDAY = NOW - 12 * HOUR


def test_quiet_hours_bind_what_rings_and_leave_mail_alone() -> None:
    assert binds(NIGHT, "sms")
    assert not binds(NIGHT, "email")
    assert not binds(None, "sms")
    assert not binds(QuietHours(60, 60), "sms")


def test_quiet_hours_end_in_the_recipients_zone() -> None:
    assert ends_ms(NIGHT, NOW, "UTC") == NOW
    assert ends_ms(NIGHT, MONDAY, "UTC") == MONDAY + 8 * HOUR
    assert ends_ms(NIGHT, MONDAY, "Europe/Copenhagen") == MONDAY + 7 * HOUR
    assert ends_ms(NIGHT, NOW, "America/Los_Angeles") == NOW + 4 * HOUR


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (None, DeliveryWindow(480, 1260)),
        (DeliveryWindow(600, 700), DeliveryWindow(600, 700)),
        (DeliveryWindow(400, 700), DeliveryWindow(480, 700)),
        (DeliveryWindow(1200, 600, days=(1,)), DeliveryWindow(480, 600, days=(2,))),
        (DeliveryWindow(1000, 490, days=(7,)), DeliveryWindow(1000, 1260, days=(7,))),
        (DeliveryWindow(0, 1440), DeliveryWindow(480, 1260)),
        (DeliveryWindow(1300, 1400), None),
    ],
)
def test_a_window_keeps_its_longest_part_outside_quiet_hours(
    window: DeliveryWindow | None, expected: DeliveryWindow | None
) -> None:
    assert narrowed(window, NIGHT) == expected


@given(minutes, minutes, st.sets(st.integers(1, 7), min_size=1), minutes, minutes, st.integers(0, 7 * 1440 - 1))
def test_a_narrowed_window_is_open_only_when_both_are(
    start: int, end: int, days: set[int], quiet_start: int, quiet_end: int, minute: int
) -> None:
    if start == end or quiet_start == quiet_end:
        return
    window = DeliveryWindow(start, end, days=tuple(sorted(days)))
    inside = narrowed(window, QuietHours(quiet_start, quiet_end))
    at = MONDAY + minute * 60_000
    if inside is not None and is_open(at, inside.start_minute, inside.end_minute, "UTC", inside.days):
        assert is_open(at, start, end, "UTC", window.days)
        assert not is_open(at, quiet_start, quiet_end, "UTC", EVERY_DAY)
