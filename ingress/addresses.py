"""Addresses as a client writes them, brought into the one form that everything behind the gateway expects."""

import re
from dataclasses import dataclass
from functools import lru_cache

import idna
import phonenumbers
from phonenumbers import timezone

MAX_EMAIL_CHARS = 254
MAX_PHONE_CHARS = 40
PHONE_CACHE = 65_536

_WRITTEN = re.compile(r"\+[0-9][0-9 ().\-]{4,38}")
_UNKNOWN_ZONE = "Etc/Unknown"


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in E.164 with its plus, and the IANA zone that its prefix lies in: the first of several, UTC for none."""

    e164: str
    timezone: str


@lru_cache(maxsize=PHONE_CACHE)
def parse_phone(text: str) -> Phone | None:
    """The number that `text` writes in international form (ITU-T E.164), punctuation allowed; None for none.

    Only the length is judged against the numbering plan: whether the number is in service is not known here.
    """
    text = text.strip()
    if not _WRITTEN.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    zones = timezone.time_zones_for_number(number)
    zone = zones[0] if zones and zones[0] != _UNKNOWN_ZONE else "UTC"
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), zone)


def normalise_email(text: str) -> str | None:
    """`text` trimmed, its domain in lower-case A-labels (RFC 5890); None when there is no `local@domain` in it.

    The local part stays as it is: only its host may say whether case matters (RFC 5321 section 2.4).
    """
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or not domain or len(text) > MAX_EMAIL_CHARS:
        return None
    if not text.isprintable():
        return None
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            return None
    return f"{local}@{domain.lower()}"
