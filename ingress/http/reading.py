"""Reads a request's JSON body within its limits, or refuses the request at once."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import orjson
from aiohttp import web

from ingress.http.problems import RefusalError, refuse

MAX_BODY_BYTES = 1024 * 1024
MAX_DEPTH = 32
READ_TIMEOUT_S = 10.0

_JSON = "application/json"
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_ESCAPED_COLON = b"\\u003"
_NESTS = (dict, list)


async def read_json(request: web.Request, timeout_s: float = READ_TIMEOUT_S) -> Any:
    """The value in the body: UTF-8 JSON of at most MAX_BODY_BYTES and MAX_DEPTH levels, each name once in its object.

    Raises RefusalError: 415 for another type, 413 for too much, 400 for no such JSON (RFC 8259; section 4 on repeated names).
    """
    if request.headers.get("Content-Type") != _JSON and (
        request.content_type != _JSON or (request.charset or "utf-8").lower() not in ("utf-8", "utf8")
    ):
        raise refuse("unsupported_media_type", "Send the body as application/json in UTF-8")
    return parse_json(await _octets(request, timeout_s))


def parse_json(octets: bytes) -> Any:
    """The value that `octets` hold; raises RefusalError with 400."""
    try:
        value = orjson.loads(octets)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise refuse("invalid_json", f"The body is not JSON in UTF-8 ({place})") from error
    # Only now: on text that is no JSON the searches below could take quadratic time.
    if octets.count(b"[") + octets.count(b"{") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise refuse("invalid_json", f"The body is nested deeper than {MAX_DEPTH} levels")
    if _has_twins(octets, value):
        raise refuse("invalid_json", "A name appears twice in an object")
    if b"\\u0000" in octets and _has_nul(value):
        raise refuse("invalid_json", "The character U+0000 is not allowed")
    return value


async def _octets(request: web.Request, timeout_s: float) -> bytes:
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        if request.content.is_eof():
            octets = request.content.read_nowait()
            if len(octets) > MAX_BODY_BYTES:
                raise _too_large()
            return octets
        async with asyncio.timeout(timeout_s):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_large() from error
    except TimeoutError as error:
        late = f"The body did not arrive within {timeout_s:g} s"
        raise refuse("invalid_json", late, Connection="close") from error
    except (web.RequestPayloadError, ConnectionResetError) as error:
        raise refuse("invalid_json", "The body broke off or cannot be decoded", Connection="close") from error


def _too_large() -> RefusalError:
    return refuse("payload_too_large", f"The body may have {MAX_BODY_BYTES} octets", Connection="close")


def _has_twins(octets: bytes, value: object) -> bool:
    """Whether an object in `octets` has a name twice: `value`, which has the last of each, is written with fewer colons.

    Colons within strings are the same in both, unless one is written as an escape; then strings are left out.
    """
    again = orjson.dumps(value)
    if _ESCAPED_COLON in octets:
        octets, again = _STRING.sub(b"", octets), _STRING.sub(b"", again)
    return octets.count(b":") != again.count(b":")


def _deeper_than(value: object, depth: int) -> bool:
    """Whether arrays and objects nest deeper than `depth`, looked at level by level."""
    level = [value] if isinstance(value, _NESTS) else []
    for _ in range(depth):
        level = [part for one in level for part in _parts(one) if isinstance(part, _NESTS)]
    return bool(level)


def _parts(value: Any) -> Iterable[object]:
    parts: Iterable[object] = value.values() if isinstance(value, dict) else value
    return parts


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(name) or _has_nul(part) for name, part in value.items())
    return isinstance(value, list) and any(_has_nul(part) for part in value)
