"""The form of an API secret, `hk_live_<key id>_<random>` or `hk_test_…`: made, and taken apart."""

import re
import secrets
import string
from dataclasses import dataclass

MAX_SECRET_OCTETS = 72
"""bcrypt looks at no more; what is longer is refused instead of cut."""

KEY_ID_LENGTH = 16
RANDOM_LENGTH = 32
SMPP_PASSWORD_LENGTH = 8
"""SMPP 3.4 section 5.2.2: a C-octet string of at most 9 octets, its NUL included."""

_ID_ALPHABET = string.ascii_lowercase + string.digits
_ALPHABET = string.ascii_letters + string.digits
_FORM = re.compile(r"hk_(live|test)_([a-z0-9]{4,24})_[A-Za-z0-9]{24,39}")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What an API secret says about itself; nothing of it is proved yet."""

    key_id: str
    test: bool


def parse_secret(secret: str) -> Parsed | None:
    """The key that a secret claims to be of; None when it has not the form of one."""
    if len(secret) > MAX_SECRET_OCTETS:
        return None
    found = _FORM.fullmatch(secret)
    return Parsed(found[2], found[1] == "test") if found else None


def new_key_id() -> str:
    """An id for a key, 82 bits of chance."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(KEY_ID_LENGTH))


def new_secret(key_id: str, *, test: bool) -> str:
    """A secret for a key, 190 bits of chance."""
    return f"hk_{'test' if test else 'live'}_{key_id}_{new_password(RANDOM_LENGTH)}"


def new_password(length: int) -> str:
    """Letters and digits, about 5.95 bits of chance each."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
