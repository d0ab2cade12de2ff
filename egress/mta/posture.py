"""How much TLS a mail must have: what the configuration, DANE, MTA-STS or the sender ask for, strictest where it counts."""

from dataclasses import dataclass
from typing import Literal

from egress.mta.dane import Tlsa
from egress.mta.sts import StsPolicy

TlsPolicy = Literal["none", "opportunistic", "encrypt", "verify"]
Demand = Literal["none", "opportunistic", "encrypt", "verify", "dane", "testing", "refuse"]


@dataclass(frozen=True, slots=True)
class Posture:
    """`policy` is the configuration's; `told` when it names the domain, and then DANE and MTA-STS are not looked at.

    `sts` is the domain's own policy (RFC 8461). `require` is the sender's REQUIRETLS (RFC 8689).
    """

    policy: TlsPolicy = "opportunistic"
    told: bool = False
    sts: StsPolicy | None = None
    require: bool = False

    @property
    def policy_type(self) -> str:
        """The kind of policy as a report names it when DANE has no say (RFC 8460 section 4.2)."""
        return "sts" if self.sts is not None else "no-policy-found"


def demand_of(host: str, tlsa: tuple[Tlsa, ...] | None, posture: Posture) -> Demand:
    """What TLS with `host` must be; `tlsa` as in `Hop`.

    DANE comes before MTA-STS (RFC 8461 section 2); TLSA records that are all unusable still demand encryption (RFC 7672
    section 2.2). `refuse` for a host that an enforced policy does not list.
    """
    if posture.told and posture.policy in ("none", "verify"):
        return "refuse" if posture.policy == "none" and posture.require else posture.policy
    if tlsa is not None and not posture.told:
        return "dane" if any(record.usable for record in tlsa) else "verify" if posture.require else "encrypt"
    if posture.sts is not None and posture.sts.mode != "none":
        listed = posture.sts.lists(host)
        if posture.sts.mode == "enforce":
            return "verify" if listed else "refuse"
        if not posture.require:
            return "testing"
    return "verify" if posture.require else posture.policy
