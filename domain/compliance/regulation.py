"""Which rule a refusal names: the regulation of the country that an address belongs to, as far as the address tells."""

from typing import Final

from domain.delivery import Channel

_BY_PREFIX: Final[dict[str, str]] = {
    "+1": "TCPA",
    "+44": "PECR",
}
# Country calling codes (ITU-T E.164) of the EU and the EEA: the ePrivacy directive holds there.
_EPRIVACY_PREFIXES: Final = (
    "+30", "+31", "+32", "+33", "+34", "+351", "+352", "+353", "+354", "+356", "+357", "+358", "+359", "+36", "+370",
    "+371", "+372", "+385", "+386", "+39", "+40", "+420", "+421", "+423", "+43", "+45", "+46", "+47", "+48", "+49",
)  # fmt: skip
EPRIVACY: Final = "GDPR/ePrivacy"
TENANT_POLICY: Final = "tenant policy"
"""What is named when the country has no entry: the tenant's own setting is what refuses."""


def regulation_of(channel: Channel, address: str) -> str:
    """The regulation for `address`: by country calling code for a phone, GDPR/ePrivacy for mail, else the tenant's policy."""
    if channel == "email":
        return EPRIVACY
    for prefix, regulation in _BY_PREFIX.items():
        if address.startswith(prefix):
            return regulation
    return EPRIVACY if address.startswith(_EPRIVACY_PREFIXES) else TENANT_POLICY
