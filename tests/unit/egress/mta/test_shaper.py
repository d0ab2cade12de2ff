"""Limits of providers, what refusals teach, and recovery."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress.mta.errors import RouteError
from egress.mta.providers import KNOWN, Limits, Provider, provider_of
from egress.mta.rules import RULES
from egress.mta.shaper import MAX_GROUPS, Shaper
from tests.unit.egress.mta.clocks import FakeClock

GROUP = ("", "mx.b.test")
LIMITS = Limits(8, 100)


def heard(shaper: Shaper, said: str, *, times: int = 1, provider: str = "", tenant: str = "acme") -> list[str]:
    actions = [shaper.heard(GROUP, LIMITS, provider, tenant, said) for _ in range(times)]
    return [action.kind for action in actions[-1]]


def suspension_ms(shaper: Shaper, tenant: str = "acme") -> int:
    try:
        shaper.check(GROUP, tenant)
    except RouteError as error:
        return error.retry_after_ms
    return 0


@pytest.mark.parametrize(
    ("hosts", "name"),
    [
        (["aspmx.l.google.com", "alt2.aspmx.l.google.com"], "google"),
        (["mta5.am0.yahoodns.net"], "yahoo"),
        (["hotmail-com.olc.protection.outlook.com"], "outlook"),
        (["acme-com.mail.protection.outlook.com"], "office365"),
        (["mx01.mail.icloud.com"], "apple"),
        (["mx-ha.web.de", "mx00.gmx.net"], "gmx"),
        (["mx.notgoogle.com"], None),
        (["google.com.evil.test"], None),
        (["aspmx.l.google.com", "mx.b.test"], None),
        ([], None),
    ],
)
def test_a_provider_is_known_when_all_hosts_are_its_own(hosts: list[str], name: str | None) -> None:
    found = provider_of(hosts)
    assert (found.name if found else None) == name


def test_ones_own_table_comes_before_the_known_one() -> None:
    mine = Provider("mine", (".google.com",), Limits(1, 1))
    assert provider_of(["aspmx.l.google.com"], (mine,)) == mine


def test_every_rule_is_for_a_provider_that_exists_and_every_provider_has_limits() -> None:
    assert {rule.provider for rule in RULES} <= {"", *(provider.name for provider in KNOWN)}
    assert all(p.limits.connections > 0 < p.limits.mails_per_connection for p in KNOWN)
    assert all(rule.for_ms > 0 < rule.hits and rule.actions for rule in RULES)


def test_a_peer_that_has_too_much_gets_half_and_success_brings_it_back() -> None:
    clock = FakeClock()
    shaper = Shaper(clock)
    assert shaper.connections(GROUP, LIMITS) == 8

    for _ in range(5):  # one wave of refusals counts once
        shaper.pushed_back(GROUP, LIMITS)
    assert shaper.connections(GROUP, LIMITS) == 4
    for _ in range(10):
        clock.now_ms += 1_000
        shaper.pushed_back(GROUP, LIMITS)
    assert shaper.connections(GROUP, LIMITS) == 1

    for _ in range(4):
        shaper.took(GROUP, LIMITS)
    assert 2 <= shaper.connections(GROUP, LIMITS) <= 4
    for _ in range(100):
        shaper.took(GROUP, LIMITS)
    assert shaper.connections(GROUP, LIMITS) == 8


@pytest.mark.parametrize(
    ("provider", "said", "times", "actions", "for_ms"),
    [
        ("yahoo", "421 4.7.0 [TSS04] Messages from 192.0.2.1 are deferred", 2, ["suspend"], 7_200_000),
        ("yahoo", "553 5.7.1 [BL21] Connections are not taken", 5, ["suspend"], 7_200_000),
        ("google", "550 5.7.1 likely suspicious due to the very low reputation of the sending domain.", 5,
         ["suspend_tenant"], 3_600_000),
        ("outlook", "550 5.7.1 part of your network is on our block list (S3140).", 5, ["suspend"], 7_200_000),
        ("apple", "421 [HCM1] was deferred", 5, ["suspend"], 900_000),
        ("comcast", "421 4.1.0 throttled RL000010", 1, ["suspend_tenant"], 300_000),
        ("", "550 192.0.2.1 is listed at zen.spamhaus.org", 5, ["suspend"], 3_600_000),
    ],
)  # fmt: skip
def test_known_texts_suspend_after_they_came_often_enough(
    provider: str, said: str, times: int, actions: list[str], for_ms: int
) -> None:
    clock = FakeClock()
    shaper = Shaper(clock)

    if times > 1:
        assert heard(shaper, said, times=times - 1, provider=provider) == []
        assert suspension_ms(shaper) == 0
    assert heard(shaper, said, provider=provider) == actions
    assert suspension_ms(shaper) == for_ms
    assert (suspension_ms(shaper, "other") == 0) == (actions == ["suspend_tenant"])
    assert shaper.is_suspended(GROUP) == (actions == ["suspend"])

    clock.now_ms += for_ms
    assert suspension_ms(shaper) == 0


def test_hits_are_counted_within_an_hour() -> None:
    clock = FakeClock()
    shaper = Shaper(clock)

    heard(shaper, "421 [TS04]", provider="yahoo")
    clock.now_ms += 3_600_000
    assert heard(shaper, "421 [TS04]", provider="yahoo") == []


def test_slow_narrow_and_short_hold_for_their_time() -> None:
    clock = FakeClock()
    shaper = Shaper(clock)

    said = "421 4.7.0 Messages from 192.0.2.1 temporarily deferred due to user complaints"
    assert heard(shaper, said) == ["slow", "narrow"]
    assert heard(shaper, "421 too many messages in this session") == ["shorten"]
    assert shaper.connections(GROUP, LIMITS) == 1
    assert shaper.mails_per_connection(GROUP, LIMITS) == 5
    assert shaper.wait_ms(GROUP, LIMITS, 60_000) == 0
    assert shaper.wait_ms(GROUP, LIMITS, 60_000) == 60_000
    with pytest.raises(RouteError) as caught:
        shaper.wait_ms(GROUP, LIMITS, 60_000)
    assert (caught.value.code, caught.value.retry_after_ms) == ("4.4.5", 120_000)

    clock.now_ms += 90 * 60_000
    assert shaper.connections(GROUP, LIMITS) == 8
    assert shaper.mails_per_connection(GROUP, LIMITS) == 100
    assert shaper.wait_ms(GROUP, LIMITS, 60_000) == 0


@given(st.integers(1, 6_000), st.lists(st.integers(0, 2_000), max_size=60))
def test_no_more_mails_than_the_rate_allows_get_a_place(per_minute: int, pauses: list[int]) -> None:
    clock = FakeClock()
    shaper, limits = Shaper(clock), Limits(8, 100, per_minute)
    places: list[int] = []

    for pause in pauses:
        clock.now_ms += pause
        places.append(clock.now_ms + shaper.wait_ms(GROUP, limits, 10**9))

    gap_ms = 60_000 / per_minute
    burst_ms = 1_000 if gap_ms < 1_000 else 0
    for first, last in combinations(range(len(places)), 2):
        assert places[last] - places[first] >= (last - first) * gap_ms - burst_ms - 1


def test_what_nobody_knows_changes_nothing_and_memory_is_bounded() -> None:
    shaper = Shaper(FakeClock())
    assert heard(shaper, "550 5.1.1 no such user") == []
    assert not shaper._groups

    for number in range(MAX_GROUPS + 5):
        shaper.pushed_back(("", str(number)), LIMITS)
    assert len(shaper._groups) == MAX_GROUPS
