"""Reading JSON: repeated names are found whatever the strings hold, depth is counted right, slow bodies end."""

import asyncio
import json

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from ingress.http.meter import PrometheusMeter
from ingress.http.problems import RefusalError
from ingress.http.reading import MAX_DEPTH, parse_json, read_json
from ingress.http.server import listen

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_any_value_is_read_as_it_was_written(value: object, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only, indent=1).encode()) == value


@given(st.lists(TEXT, min_size=1, max_size=5, unique=True), st.data())
def test_a_repeated_name_is_refused_wherever_it_stands(names: list[str], data: st.DataObject) -> None:
    written = [*names, data.draw(st.sampled_from(names))]
    members = b",".join(orjson.dumps(name) + b":" + orjson.dumps(name) for name in written)
    with pytest.raises(RefusalError):
        parse_json(b"[[{" + members + b"}]]")


@given(st.integers(1, 60), st.booleans())
def test_depth_is_counted_along_the_deepest_branch(depth: int, wide: bool) -> None:
    side = b"[]," * 40 if wide and depth > 1 else b""
    octets = b"[" + side + b'{"[[":' * ((depth - 1) // 2) + b"[" * (depth - 1 - (depth - 1) // 2)
    octets += b"]" * (depth - 1 - (depth - 1) // 2) + b"1" * (depth == 1) + b"}" * ((depth - 1) // 2) + b"]"
    if depth > MAX_DEPTH:
        with pytest.raises(RefusalError, match="invalid_json"):
            parse_json(octets)
    else:
        parse_json(octets)


async def test_a_body_that_does_not_come_or_breaks_off_is_refused() -> None:
    refused: asyncio.Queue[str] = asyncio.Queue()

    async def handle(request: web.Request) -> web.Response:
        with pytest.raises(RefusalError) as caught:
            await read_json(request, timeout_s=0.02 if request.path == "/late" else 5.0)
        assert caught.value.problem.headers["Connection"] == "close"
        refused.put_nowait(caught.value.problem.detail)
        return web.Response()

    app = web.Application()
    app.router.add_post("/{name}", handle)
    listening = await listen(app, PrometheusMeter(CollectorRegistry()), "127.0.0.1", 0)
    async with asyncio.timeout(10):
        for path in (b"late", b"gone"):
            _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
            writer.write(b"POST /" + path + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: 9\r\n\r\n{")
            await writer.drain()
            if path == b"late":
                assert "did not arrive" in await refused.get()
            writer.close()
            await writer.wait_closed()
        assert "broke off" in await refused.get()
    await listening.close()
