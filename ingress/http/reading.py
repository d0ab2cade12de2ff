"""Reads a request's JSON body within its limits, or refuses the request at once."""

import asyncio
import re
from typing import Any

import orjson
from aiohttp import web

from ingress.http.problems import RefusalError, refuse

MAX_BODY_BYTES = 1024 * 1024
MAX_DEPTH = 32
READ_TIMEOUT_S = 10.0

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SQUARE = bytes.maketrans(b"{}", b"[]")


async def read_json(request: web.Request, timeout_s: float = READ_TIMEOUT_S) -> Any:
    """The value in the body: UTF-8 JSON of at most MAX_BODY_BYTES and MAX_DEPTH levels, each name once in its object.

    Raises RefusalError: 415 for another type, 413 for too much, 400 for no such JSON (RFC 8259; section 4 on repeated names).
    """
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
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
    if _deeper_than(octets, MAX_DEPTH):
        raise refuse("invalid_json", f"The body is nested deeper than {MAX_DEPTH} levels")
    if _members_written(octets) != _members_written(orjson.dumps(value)):
        raise refuse("invalid_json", "A name appears twice in an object")
    if b"\\u0000" in octets and _has_nul(value):
        raise refuse("invalid_json", "The character U+0000 is not allowed")
    return value


async def _octets(request: web.Request, timeout_s: float) -> bytes:
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        if request.content.is_eof():
            return await request.read()
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


def _members_written(octets: bytes) -> int:
    """How many members the objects of valid JSON have: a colon outside strings stands for each."""
    return _STRING.sub(b"", octets).count(b":")


def _deeper_than(octets: bytes, depth: int) -> bool:
    """Whether arrays and objects nest deeper than `depth`; each pass takes the innermost pairs away."""
    if octets.count(b"[") + octets.count(b"{") <= depth:
        return False
    left = _STRING.sub(b"", octets).translate(_SQUARE, _NOT_BRACKETS)
    for _ in range(depth):
        left = left.replace(b"[]", b"")
    return b"[" in left


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(name) or _has_nul(part) for name, part in value.items())
    return isinstance(value, list) and any(_has_nul(part) for part in value)
