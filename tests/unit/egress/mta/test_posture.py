"""How much TLS a host must have."""

import pytest

from egress.mta.dane import Tlsa
from egress.mta.posture import Demand, Posture, TlsPolicy, demand_of
from egress.mta.sts import StsMode, StsPolicy

KEY, UNUSABLE = Tlsa(3, 1, 1, bytes(32)), Tlsa(0, 0, 1, bytes(32))


def sts(mode: StsMode) -> StsPolicy:
    return StsPolicy(mode, ("mx.b.test",), 86_400)


@pytest.mark.parametrize(
    ("host", "tlsa", "posture", "demand"),
    [
        ("mx.b.test", None, Posture(), "opportunistic"),
        ("mx.b.test", (KEY,), Posture(), "dane"),
        ("mx.b.test", (KEY, UNUSABLE), Posture(sts=sts("enforce")), "dane"),
        ("mx.b.test", (UNUSABLE,), Posture(), "encrypt"),
        ("mx.b.test", None, Posture(sts=sts("enforce")), "verify"),
        ("mx.evil.test", None, Posture(sts=sts("enforce")), "refuse"),
        ("mx.evil.test", None, Posture(sts=sts("testing")), "testing"),
        ("mx.b.test", None, Posture(sts=sts("none")), "opportunistic"),
        ("mx.b.test", None, Posture(require=True), "verify"),
        ("mx.b.test", (UNUSABLE,), Posture(require=True), "verify"),
        ("mx.b.test", (KEY,), Posture(require=True), "dane"),
        ("mx.b.test", None, Posture(sts=sts("testing"), require=True), "verify"),
    ],
)
def test_dane_comes_before_sts_and_both_before_chance(
    host: str, tlsa: tuple[Tlsa, ...] | None, posture: Posture, demand: Demand
) -> None:
    assert demand_of(host, tlsa, posture) == demand


@pytest.mark.parametrize(
    ("policy", "require", "demand"),
    [
        ("none", False, "none"),
        ("none", True, "refuse"),
        ("opportunistic", False, "opportunistic"),
        ("opportunistic", True, "verify"),
        ("encrypt", False, "encrypt"),
        ("encrypt", True, "verify"),
        ("verify", False, "verify"),
    ],
)
def test_what_the_configuration_says_of_a_domain_is_what_is_done(
    policy: TlsPolicy, require: bool, demand: Demand
) -> None:
    posture = Posture(policy, told=True, sts=None, require=require)
    assert demand_of("mx.b.test", (KEY,), posture) == demand
