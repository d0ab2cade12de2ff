"""The form of addresses: E.164 numbers, mailboxes, device tokens, sender ids. Each check is linear in a bounded text."""

import re
from typing import Final

from domain.sms import GSM7_BASIC

MAX_MAILBOX_CHARS: Final = 254
MAX_LOCAL_CHARS: Final = 64
MAX_DOMAIN_CHARS: Final = 253
MAX_LABEL_CHARS: Final = 63
MAX_TOKEN_CHARS: Final = 512
MAX_USER_ID_CHARS: Final = 255
MAX_ALPHANUMERIC_SENDER_CHARS: Final = 11

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_DIGITS = re.compile(r"\+?[0-9]{3,15}")
_DEVICE_TOKEN = re.compile(r"[A-Za-z0-9_:.-]{16,512}")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"')
_SENDER_CHARACTERS: Final = frozenset(GSM7_BASIC) - frozenset("\n\r\x1b@")


def is_phone(text: str) -> bool:
    """Whether `text` is an E.164 number with its plus: 7 to 15 digits, the first not zero."""
    return _E164.fullmatch(text) is not None


def is_mailbox(text: str) -> bool:
    """Whether `text` is a mailbox (RFC 5321 section 4.1.2) that the public net can deliver to.

    Refused though the grammar has them: address literals and domains without a dot (they lead into private nets), and
    comments. The local part is ASCII; the domain may be in U-labels.
    """
    if len(text) > MAX_MAILBOX_CHARS:
        return False
    local, at, domain = text.rpartition("@")
    if not at or not 0 < len(local) <= MAX_LOCAL_CHARS:
        return False
    return bool(_DOT_ATOM.fullmatch(local) or _QUOTED.fullmatch(local)) and is_domain(domain)


def is_domain(text: str) -> bool:
    """Whether `text` is a domain of at least two labels (RFC 1035 section 2.3.1), the last one not a number."""
    labels = text.split(".")
    if len(text) > MAX_DOMAIN_CHARS or len(labels) < 2 or labels[-1].isdigit():
        return False
    return all(_is_label(label) for label in labels)


def is_device_token(text: str) -> bool:
    """Whether `text` can be the token of a device at FCM or APNs: 16 to 512 characters of their alphabets."""
    return _DEVICE_TOKEN.fullmatch(text) is not None


def is_user_id(text: str) -> bool:
    """Whether `text` can be a tenant's own id of a user: printable, without spaces at its ends."""
    return 0 < len(text) <= MAX_USER_ID_CHARS and text.isprintable() and text == text.strip()


def is_sms_sender(text: str) -> bool:
    """Whether `text` can be the source of a short message: 3 to 15 digits, or up to 11 characters of the GSM alphabet.

    An alphanumeric source has at least one letter, or handsets show it as a number (3GPP TS 23.040 section 9.1.2.5).
    """
    if _DIGITS.fullmatch(text):
        return True
    short = 0 < len(text) <= MAX_ALPHANUMERIC_SENDER_CHARS and text == text.strip()
    return short and all(c in _SENDER_CHARACTERS for c in text) and any(c.isalpha() for c in text)


def _is_label(label: str) -> bool:
    if not 0 < len(label) <= MAX_LABEL_CHARS or label[0] == "-" or label[-1] == "-":
        return False
    return all(c == "-" or c.isalnum() for c in label)
