"""Addresses of SMPP (TON, NPI and characters) as E.164 numbers and senders (SMPP 3.4 sections 5.2.5 to 5.2.9)."""

from typing import Final

from ingress.addresses import Phone, parse_phone
from ingress.smpp.settings import AccountProfile
from schemas.smpp import status as s

TON_UNKNOWN: Final = 0
TON_INTERNATIONAL: Final = 1
TON_NATIONAL: Final = 2
TON_SUBSCRIBER: Final = 4
TON_ALPHANUMERIC: Final = 5
MAX_TON: Final = 6
NPIS: Final = frozenset({0, 1, 3, 4, 6, 8, 9, 10, 14, 18})
INTERNATIONAL_PREFIX: Final = "00"
MIN_FULL_DIGITS: Final = 7
ESME_RINVSRCTON: Final = 0x48
ESME_RINVSRCNPI: Final = 0x49
ESME_RINVDSTTON: Final = 0x50
ESME_RINVDSTNPI: Final = 0x51


def destination_of(ton: int, npi: int, address: str, profile: AccountProfile) -> Phone | int:
    """The number with its zone, or the status that refuses it.

    International and unknown numbers lose a leading `+` or `00`; an unknown one that begins with the trunk prefix and a
    national one are completed with the profile's country code.
    """
    if ton > MAX_TON:
        return ESME_RINVDSTTON
    if npi not in NPIS:
        return ESME_RINVDSTNPI
    if not _is_digits(address.removeprefix("+")):
        return s.ESME_RINVDSTADR
    digits = _full(ton, address, profile)
    phone = parse_phone(f"+{digits}") if digits else None
    return s.ESME_RINVDSTADR if phone is None else phone


def sender_of(ton: int, npi: int, address: str) -> str | int:
    """The sender: `+` and digits for an international number, otherwise as it was written; empty for the tenant's own."""
    if ton > MAX_TON:
        return ESME_RINVSRCTON
    if npi not in NPIS:
        return ESME_RINVSRCNPI
    if not address:
        return ""
    if ton == TON_ALPHANUMERIC:
        return address if address.isprintable() else s.ESME_RINVSRCADR
    digits = address.removeprefix("+")
    if not _is_digits(digits):
        return address if ton == TON_UNKNOWN and address.isprintable() else s.ESME_RINVSRCADR
    if ton == TON_INTERNATIONAL and len(digits) >= MIN_FULL_DIGITS:
        return f"+{digits.removeprefix(INTERNATIONAL_PREFIX)}"
    return address


def _full(ton: int, address: str, profile: AccountProfile) -> str:
    """The digits with their country code, empty when it is not known."""
    if address.startswith("+"):
        return address[1:]
    if address.startswith(INTERNATIONAL_PREFIX):
        return address[2:]
    trunk = profile.trunk_prefix
    national = ton in (TON_NATIONAL, TON_SUBSCRIBER)
    if national or (ton == TON_UNKNOWN and trunk and address.startswith(trunk)):
        return f"{profile.country_code}{address.removeprefix(trunk)}" if profile.country_code else ""
    return address


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
