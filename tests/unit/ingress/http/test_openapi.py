"""The OpenAPI document: sound by itself, and true about the application."""

import re
from html.parser import HTMLParser
from typing import Any

from domain.errors import CODES
from ingress.http.shapes import ProblemDocument
from tests.unit.ingress.http.gateway import Gateway, a_body

SCHEMA_KEYS = {"type", "$ref", "anyOf", "enum", "const", "properties", "additionalProperties", "items"}


async def document() -> dict[str, Any]:
    """The document as it is served."""
    async with Gateway().open() as gateway:
        response = await gateway.ask("GET", "/openapi.json", None)
        served: dict[str, Any] = await response.json()
    return served


def walk(node: object) -> list[dict[str, Any]]:
    """Every object inside."""
    if isinstance(node, dict):
        return [node, *(one for value in node.values() for one in walk(value))]
    if isinstance(node, list):
        return [one for value in node for one in walk(value)]
    return []


async def test_every_route_is_described_and_every_description_is_a_route() -> None:
    async with Gateway().open() as gateway:
        app = gateway.client.server.app  # type: ignore[attr-defined]  # a TestServer has its application
        routes = {(r.method, r.resource.canonical) for r in app.router.routes() if r.method != "HEAD"}
    described = {(m.upper(), path) for path, methods in (await document())["paths"].items() for m in methods}
    assert routes == described
    assert len(routes) == 21


async def test_references_lead_somewhere_and_operations_are_whole() -> None:
    whole = await document()
    assert whole["openapi"] == "3.1.0"
    schemas = whole["components"]["schemas"]
    for node in walk(whole):
        if isinstance(node.get("$ref"), str):
            assert node["$ref"].removeprefix("#/components/schemas/") in schemas
    names = set()
    for path, methods in whole["paths"].items():
        for operation in methods.values():
            names.add(operation["operationId"])
            in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert in_path == set(re.findall(r"\{(\w+)\}", path))
            assert {"500", "503"} < operation["responses"].keys()
            for response in operation["responses"].values():
                assert response["description"]
                for content in response.get("content", {}).values():
                    assert SCHEMA_KEYS & content["schema"].keys()
    assert len(names) == sum(len(methods) for methods in whole["paths"].values())


async def test_the_examples_are_true() -> None:
    whole = await document()
    codes = set()
    for methods in whole["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                for example in (
                    response.get("content", {}).get("application/problem+json", {}).get("examples", {}).values()
                ):
                    problem = ProblemDocument.model_validate(example["value"])
                    assert str(problem.status) == status
                    codes.add(problem.code)
    assert set(CODES) - codes <= {"method_not_allowed"}
    (example,) = whole["components"]["schemas"]["SendBody"]["examples"]
    async with Gateway().open() as gateway:
        await gateway.send(example)
        assert gateway.desk.submitted[0].errors == ()
        assert gateway.desk.submitted[0].request is not None


async def test_durations_are_described_as_strings_and_unknown_fields_as_refused() -> None:
    schemas = (await document())["components"]["schemas"]
    timeout = schemas["ChannelBody"]["properties"]["timeout"]["anyOf"][0]
    assert timeout["type"] == "string"
    assert re.search(timeout["pattern"], "30s")
    assert schemas["SendBody"]["additionalProperties"] is False
    assert schemas["SendBody"]["required"] == ["to", "body", "routing"]
    assert a_body().keys() <= schemas["SendBody"]["properties"].keys()


class Page(HTMLParser):
    """Collects the ids and whatever a browser would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.fetched: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        if tag in ("script", "img", "link", "iframe") or "src" in found:
            self.fetched.append(tag)


async def test_the_pages_are_whole_in_themselves() -> None:
    async with Gateway().open() as gateway:
        docs = await gateway.ask("GET", "/docs", None)
        errors = await gateway.ask("GET", "/docs/errors", None)
        home = await gateway.ask("GET", "/", None)
        text = await docs.text()
        reference, catalogue = Page(text), Page(await errors.text())
    assert (docs.status, docs.content_type) == (200, "text/html")
    assert reference.fetched == catalogue.fetched == []
    assert {"sendMessage", "getMessage", "createApiKey"} <= reference.ids
    assert set(CODES) <= catalogue.ids
    assert "curl https://api.example.test/v1/messages/send" in text
    assert (home.status, home.headers["Location"]) == (302, "/docs")
    assert docs.headers["Content-Security-Policy"].startswith("default-src 'none'")
