"""One click and a recipient is left alone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from domain.errors import TransientError
from domain.inbound import Suppress
from ingress.bucket import Bucket
from ingress.http.unsubscribe import Unsubscribe
from schemas.unsubscribe import Leaving, unsubscribing
from tests.unit.ingress.http.gateway import NOW_MS, URL, Gateway

LINKS = unsubscribing(URL, b"salt")
PATH = f"/u/{LINKS.token(Leaving('t1', 'email', '<ann>@customer.example'))}"


@asynccontextmanager
async def serving(publish: Callable[[Suppress], Awaitable[None]], burst: int = 10) -> AsyncIterator[Gateway]:
    """A gateway with links that lead to it."""
    unsubscribe = Unsubscribe(LINKS, publish, lambda: NOW_MS, Bucket(1, burst, lambda: 0))
    async with Gateway(unsubscribe=unsubscribe).open() as gateway:
        yield gateway


async def test_the_page_asks_and_changes_nothing() -> None:
    wishes: list[Suppress] = []

    async def publish(wish: Suppress) -> None:
        wishes.append(wish)

    async with serving(publish) as gateway:
        response = await gateway.ask("GET", PATH, None)
        text = await response.text()
        head = await gateway.ask("HEAD", PATH, None)
    assert (response.status, head.status, response.content_type, wishes) == (200, 200, "text/html", [])
    assert '<form method="post">' in text
    assert "&lt;ann&gt;@customer.example" in text
    assert "form-action 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("body", ["List-Unsubscribe=One-Click", ""])
async def test_one_click_is_enough_without_a_key(body: str) -> None:
    wishes: list[Suppress] = []

    async def publish(wish: Suppress) -> None:
        wishes.append(wish)

    async with serving(publish) as gateway:
        response = await gateway.ask("POST", PATH, None, data=body)
    assert (response.status, response.content_type) == (200, "text/html")
    assert wishes == [Suppress("t1", "email", "<ann>@customer.example", "unsubscribed", NOW_MS)]


async def test_a_wrong_link_leads_nowhere() -> None:
    async def publish(_wish: Suppress) -> None:
        raise AssertionError

    async with serving(publish) as gateway:
        for method in ("GET", "POST"):
            for token in ("x", PATH[3:] + "A", "A" * 2_000, "%00"):
                assert (await gateway.ask(method, f"/u/{token}", None)).status == 404


async def test_a_wish_that_is_not_durable_is_asked_for_again_and_so_is_one_too_many() -> None:
    async def away(_wish: Suppress) -> None:
        raise TransientError("away", 1_000)

    async with serving(away) as gateway:
        assert (await gateway.ask("POST", PATH, None)).status == 503

    async def publish(_wish: Suppress) -> None:
        return

    async with serving(publish, burst=1) as gateway:
        statuses = [(await gateway.ask("POST", PATH, None)).status for _ in range(2)]
    assert statuses == [200, 503]


async def test_without_links_there_is_no_page() -> None:
    async with Gateway().open() as gateway:
        assert (await gateway.ask("GET", PATH, None)).status == 404


async def test_the_links_are_described_like_every_other_route() -> None:
    async def publish(_wish: Suppress) -> None:
        return

    async with serving(publish) as gateway:
        paths = (await (await gateway.ask("GET", "/openapi.json", None)).json())["paths"]
    assert set(paths["/u/{token}"]) == {"get", "post"}
    assert paths["/u/{token}"]["post"]["security"] == []
