"""Who a tenant of the settings is: ids and log-in names that a second start finds again."""

import re
import uuid

NAMESPACE = uuid.UUID("5f0c6a0e-6d0b-5b4e-9a57-0a5d3c1f7e42")
MAX_SYSTEM_ID = 15
"""SMPP 3.4 section 5.2.1: a C-octet string of at most 16 octets, its NUL included."""

_HEAD, _TAIL = 8, 6
_NO_NAME = re.compile(r"[^a-z0-9]+")


def tenant_id(name: str) -> str:
    """The id of the tenant called `name` (UUIDv5)."""
    return str(uuid.uuid5(NAMESPACE, f"tenant/{name}"))


def login_name(name: str) -> str:
    """The system_id and SMTP user of a tenant: its name in small letters, or its beginning and some of its id."""
    slug = _NO_NAME.sub("-", name.lower()).strip("-")
    if 0 < len(slug) <= MAX_SYSTEM_ID:
        return slug
    return f"{slug[:_HEAD].strip('-') or 'tenant'}-{tenant_id(name)[:_TAIL]}"
