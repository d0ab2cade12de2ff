"""Callbacks of Twilio: `X-Twilio-Signature` is the HMAC-SHA1 of the URL and the form, or of the URL with the body's hash."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

from schemas.signatures.digest import same

MAX_URL_CHARS: Final = 8_000
MAX_PARAMETERS: Final = 200
_PORTS: Final = {"https": 443, "http": 80}


def verify_form(auth_token: str, url: str, parameters: Iterable[tuple[str, str]], signature: str) -> bool:
    """Whether the signature is ours for a form posted to `url`, as Twilio was told it, with or without its usual port."""
    by_name: dict[str, set[str]] = {}
    for name, value in parameters:
        by_name.setdefault(name, set()).add(value)
    if len(url) > MAX_URL_CHARS or len(by_name) > MAX_PARAMETERS:
        return False
    form = "".join(name + value for name in sorted(by_name) for value in sorted(by_name[name]))
    found = [same(_sign(auth_token, one + form), signature) for one in _spellings(url)]
    return any(found)


def verify_body(auth_token: str, url: str, body: bytes, signature: str) -> bool:
    """Whether the signature is ours for a JSON body: the URL carries its SHA-256 as `bodySHA256`."""
    if len(url) > MAX_URL_CHARS:
        return False
    given = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    return same(hashlib.sha256(body).hexdigest(), given.lower()) and verify_form(auth_token, url, (), signature)


def _sign(auth_token: str, signed: str) -> str:
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def _spellings(url: str) -> tuple[str, ...]:
    """The URL with and without a port: proxies add and drop it."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return (url,)
    if parts.scheme not in _PORTS:
        return (url,)
    other = f"{parts.netloc}:{_PORTS[parts.scheme]}" if port is None else parts.netloc.rpartition(":")[0]
    return url, urlunsplit(parts._replace(netloc=other))
