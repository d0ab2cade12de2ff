"""Requests to Amazon: the `Authorization` header of Signature Version 4, made and compared."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from schemas.signatures.digest import same

ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNRESERVED: Final = "-_.~"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key and where it is used."""

    access_key: str
    secret_key: str
    region: str
    service: str


@dataclass(frozen=True, slots=True)
class Request:
    """What is signed; header names in lower case without host and x-amz-date, `amz_date` is `20150830T123600Z`."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    amz_date: str


def authorization(credentials: Credentials, request: Request) -> str:
    """The value of the header."""
    headers = {**request.headers, "host": urlsplit(request.url).netloc, "x-amz-date": request.amz_date}
    names = ";".join(sorted(headers))
    day = request.amz_date[:8]
    scope = f"{day}/{credentials.region}/{credentials.service}/aws4_request"
    canonical = hashlib.sha256(_canonical(request, headers, names).encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{request.amz_date}\n{scope}\n{canonical}"
    key = f"AWS4{credentials.secret_key}".encode()
    for step in (day, credentials.region, credentials.service, "aws4_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"


def verify(credentials: Credentials, request: Request, given: str) -> bool:
    """Whether the header is the one of these credentials for the request."""
    return same(authorization(credentials, request), given)


def _canonical(request: Request, headers: Mapping[str, str], names: str) -> str:
    parts = urlsplit(request.url)
    path = quote(parts.path or "/", safe=f"/{_UNRESERVED}")
    pairs = sorted(
        (quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED))
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    query = "&".join(f"{name}={value}" for name, value in pairs)
    fields = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    body = hashlib.sha256(request.body).hexdigest()
    return f"{request.method}\n{path}\n{query}\n{fields}\n{names}\n{body}"
