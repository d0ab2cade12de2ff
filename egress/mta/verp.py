"""Return paths that name their attempt and prove it: what comes back to them needs no reading (VERP, RFC 5321 3.6.3)."""

import hmac
import re
import uuid
from base64 import b32decode, b32encode

PREFIX = "msg-"
LOCAL_PREFIX = "b-"  # of a local part that holds a token
MAX_ATTEMPT = 255
TOKEN_CHARS = 40
_MAC_OCTETS = 8
_ID = re.compile(PREFIX + r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LABEL = b"hermes-verp-1"


def can_name(message_id: str, attempt: int) -> bool:
    """Whether an attempt can be named: the id is `msg-` and a UUID, the number is in 0..255."""
    return _ID.fullmatch(message_id) is not None and 0 <= attempt <= MAX_ATTEMPT


def encode(message_id: str, attempt: int, secret: bytes) -> str:
    """The token for an attempt: 40 characters a-z and 2-7, since mail hosts do not all keep the case of a local part.

    16 octets of the UUID, one of the attempt's number, eight of HMAC-SHA-256. Raises ValueError for an id that is not `msg-`
    and a UUID, a number outside 0..255, and an empty secret.
    """
    if not can_name(message_id, attempt):
        raise ValueError("no message id, or an attempt that cannot be named")
    told = uuid.UUID(message_id[len(PREFIX) :]).bytes + bytes([attempt])
    return b32encode(told + _mac(told, secret)).decode("ascii").lower()


def decode(token: str, secret: bytes) -> tuple[str, int] | None:
    """The message id and attempt that `token`, in any case, names; None when it was not made with `secret`."""
    if len(token) != TOKEN_CHARS or not token.isascii():
        return None
    try:
        octets = b32decode(token.upper())
    except ValueError:
        return None
    told, mac = octets[:-_MAC_OCTETS], octets[-_MAC_OCTETS:]
    if not hmac.compare_digest(mac, _mac(told, secret)):
        return None
    return PREFIX + str(uuid.UUID(bytes=told[:-1])), told[-1]


def _mac(told: bytes, secret: bytes) -> bytes:
    if not secret:
        raise ValueError("the secret is empty")
    return hmac.digest(secret, _LABEL + told, "sha256")[:_MAC_OCTETS]
