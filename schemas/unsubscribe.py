"""Links by which a recipient leaves: each names tenant, channel and address, and proves that it is ours (RFC 8058)."""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from domain.delivery import CHANNELS, Channel

PATH: Final = "/u/"
MAX_TOKEN_CHARS: Final = 700
MAX_URL_CHARS: Final = 900
"""A List-Unsubscribe field has to fit in a line (RFC 5322 section 2.1.1)."""

_LABEL: Final = b"hermes-unsubscribe-1"
_MAC_OCTETS: Final = 16
_IN_TEXT = re.compile(rf"{PATH}([A-Za-z0-9_-]{{30,{MAX_TOKEN_CHARS}}})")


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who wants nothing more from whom."""

    tenant_id: str
    channel: Channel
    address: str


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """Makes and reads the links; without a `base` nobody is offered one."""

    key: bytes = field(repr=False)
    base: str = ""

    def token(self, who: Leaving) -> str:
        """The token for `who`, base64url (RFC 4648 section 5): what it names, and 16 octets of HMAC-SHA-256 over that."""
        named = "\0".join((who.tenant_id, who.channel, who.address)).encode()
        return urlsafe_b64encode(named + self._mac(named)).rstrip(b"=").decode("ascii")

    def read(self, token: str) -> Leaving | None:
        """Whom `token` names; None when it was not made with this key."""
        if len(token) > MAX_TOKEN_CHARS or not token.isascii():
            return None
        try:
            octets = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        named, mac = octets[:-_MAC_OCTETS], octets[-_MAC_OCTETS:]
        if not hmac.compare_digest(mac, self._mac(named)):
            return None
        tenant_id, channel, address = named.decode().split("\0")
        return Leaving(tenant_id, channel, address) if channel in CHANNELS else None

    def found_in(self, text: str) -> Leaving | None:
        """Whom the first link in `text` names, None when there is none of ours."""
        found = _IN_TEXT.search(text)
        return None if found is None else self.read(found[1])

    def headers(self, who: Leaving) -> dict[str, str]:
        """The header fields that offer one click to leave (RFC 8058 section 3.1)."""
        if not self.base:
            return {}
        url = f"{self.base}{PATH}{self.token(who)}"
        if len(url) > MAX_URL_CHARS:
            return {}
        return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}

    def _mac(self, named: bytes) -> bytes:
        return hmac.digest(self.key, named, "sha256")[:_MAC_OCTETS]


def unsubscribing(public_url: str, salt_key: bytes) -> Unsubscribing:
    """Links under `public_url`, which strangers are offered only over https, or on this machine."""
    parts = urlsplit(public_url)
    offered = parts.scheme == "https" or _is_loopback(parts.hostname or "")
    return Unsubscribing(hmac.digest(salt_key, _LABEL, "sha256"), public_url.rstrip("/") if offered else "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
