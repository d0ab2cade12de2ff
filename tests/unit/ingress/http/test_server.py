"""Listening: a free port, a taken one, octets that are no HTTP."""

import asyncio
import logging

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from ingress.http.meter import PrometheusMeter
from ingress.http.server import listen


async def test_the_gateway_listens_counts_connections_and_closes(caplog: pytest.LogCaptureFixture) -> None:
    meter = PrometheusMeter(CollectorRegistry())
    listening = await listen(web.Application(), meter, "127.0.0.1", 0)
    with caplog.at_level(logging.DEBUG):
        good_reader, good = await asyncio.open_connection("127.0.0.1", listening.port)
        good.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await good_reader.readline()).startswith(b"HTTP/1.1 404")
        assert b"hermes_api_active_connections 1.0" in meter.exposition()[0]
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(b"BREW / Authorization: Bearer secret\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.0 400")
        for one in (good, writer):
            one.close()
            await one.wait_closed()
    assert "secret" not in caplog.text
    with pytest.raises(OSError, match=r"address already in use|Address already in use"):
        await listen(web.Application(), meter, "127.0.0.1", listening.port)
    await listening.close()
    with pytest.raises(OSError, match=r"."):
        await asyncio.open_connection("127.0.0.1", listening.port)
