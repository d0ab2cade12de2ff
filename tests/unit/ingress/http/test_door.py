"""The door: hostile bodies, credentials, unknown places, ids, limits, failures."""

import asyncio
import gzip
from typing import Any

import pytest

from domain.errors import TransientError
from ingress.http.shapes import ProblemDocument
from tests.unit.ingress.http.gateway import FULL, Gateway, a_body, a_cascade

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{]",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": 1, "a": 2}',
        b'[{"b": {"a": 1, "\\u0061": 2}}]',
        b'{"a": "\\u0000"}',
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 2_000 + b"]" * 2_000,
        b"[" * 500_000,
        b'"' + b'\\"' * 500_000,
        b"\x00" * 10,
    ],
)
async def test_what_is_no_sane_json_is_400(body: bytes) -> None:
    async with Gateway().open() as gateway:
        response = await gateway.ask("POST", "/v1/messages/send", headers=JSON, data=body)
        assert (await response.json())["code"] == "invalid_json"
        assert gateway.desk.submitted == []
    assert response.status == 400


@pytest.mark.parametrize(
    "body", [b"[" * 32 + b"]" * 32, b'{"a": ":{[\\"", "b": "\\\\u0000"}', b'[{"a":1},{"a":1}]', b'{"": {"": 1}}']
)
async def test_sane_json_that_only_looks_odd_reaches_the_pipeline(body: bytes) -> None:
    async with Gateway().open() as gateway:
        response = await gateway.ask("POST", "/v1/messages/send", headers=JSON, data=body)
        assert len(gateway.desk.submitted) == 1
    assert response.status == 202


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""]
)
async def test_another_content_type_is_415(content_type: str) -> None:
    async with Gateway().open() as gateway:
        response = await gateway.ask("POST", "/v1/messages/send", headers={"Content-Type": content_type}, data=b"{}")
    assert response.status == 415


async def test_more_than_a_mebibyte_is_413_however_it_is_sent() -> None:
    big = b'{"a":"' + b"x" * 1_048_576 + b'"}'

    async def pieces() -> Any:
        for start in range(0, len(big), 65_536):
            yield big[start : start + 65_536]

    async with Gateway().open() as gateway:
        whole = await gateway.ask("POST", "/v1/messages/send", headers=JSON, data=big)
        chunked = await gateway.ask("POST", "/v1/messages/send", headers=JSON, data=pieces())
        squeezed = {**JSON, "Content-Encoding": "gzip"}
        bomb = await gateway.ask("POST", "/v1/messages/send", headers=squeezed, data=gzip.compress(big))
        broken = await gateway.ask("POST", "/v1/messages/send", headers=squeezed, data=b"no gzip")
    assert [r.status for r in (whole, chunked, bomb)] == [413, 413, 413]
    assert broken.status == 400


async def test_a_body_with_thousands_of_unknown_fields_makes_a_small_submission() -> None:
    async with Gateway().open() as gateway:
        await gateway.send({f"f{n}": 1 for n in range(50_000)})
        await gateway.send({f"f{n}": 1 for n in range(500)})
        many, some = gateway.desk.submitted
    assert [e.code for e in many.errors] == ["too_many_errors"]
    assert len(some.errors) == 100


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Basic abc"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {'x' * 300}"},
        {"X-API-Key": ""},
        {"Authorization": f"Bearer {FULL}", "X-API-Key": "another"},
    ],
)
async def test_without_one_known_key_every_endpoint_answers_401(headers: dict[str, str]) -> None:
    async with Gateway().open() as gateway:
        for method, path in (("POST", "/v1/messages/send"), ("POST", "/v1/messages/batch"), ("GET", "/v1/tenants/me")):
            response = await gateway.ask(method, path, None, headers)
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer realm=")
        assert gateway.desk.submitted == []


async def test_the_key_may_be_in_x_api_key() -> None:
    async with Gateway().open() as gateway:
        response = await gateway.ask("GET", "/v1/tenants/me", None, {"X-API-Key": FULL})
        lower = await gateway.ask("GET", "/v1/tenants/me", None, {"Authorization": f"bearer {FULL}"})
    assert (response.status, lower.status) == (200, 200)


async def test_the_pipeline_decides_whether_a_revoked_key_may_send() -> None:
    async with Gateway().open() as gateway:
        await gateway.send(a_body(), key="hk_live_revoked")
        assert gateway.desk.submitted[0].key_id == "revoked"


async def test_an_unknown_place_is_404_and_a_wrong_method_405() -> None:
    async with Gateway().open() as gateway:
        nowhere = await gateway.ask("GET", "/v1/nowhere")
        wrong = await gateway.ask("PATCH", "/v1/cascade-rules/r-1")
        odd = await gateway.ask("LOCK", "/v1/messages/send")
        problem = ProblemDocument.model_validate(await wrong.json())
    assert (nowhere.status, wrong.status, odd.status) == (404, 405, 405)
    assert wrong.headers["Allow"] == "GET, HEAD, PUT"
    assert problem.code == "method_not_allowed"


async def test_every_response_has_a_request_id_and_keeps_a_sane_one_of_the_client() -> None:
    async with Gateway().open() as gateway:
        for path in ("/healthz", "/docs", "/v1/nowhere", "/"):
            assert len((await gateway.ask("GET", path)).headers["X-Request-Id"]) == 36
        kept = await gateway.ask("GET", "/healthz", headers={"X-Request-Id": "mine-1"})
        long = await gateway.ask("GET", "/healthz", headers={"X-Request-Id": "x" * 129})
        spaced = await gateway.ask("GET", "/healthz", headers={"X-Request-Id": "a b"})
    assert kept.headers["X-Request-Id"] == "mine-1"
    assert len(long.headers["X-Request-Id"]) == len(spaced.headers["X-Request-Id"]) == 36


async def test_a_full_gateway_answers_503_but_stays_alive() -> None:
    gateway = Gateway()
    gateway.desk.hold = asyncio.Event()
    async with gateway.open(max_requests=1):
        first = asyncio.create_task(gateway.send(a_body()))
        await gateway.desk.arrivals.get()
        refused = await gateway.send(a_body())
        alive = await gateway.ask("GET", "/healthz")
        gateway.desk.hold.set()
        assert (await first).status == 202
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert alive.status == 200


async def test_a_request_ends_at_its_deadline() -> None:
    gateway = Gateway()
    gateway.desk.hold = asyncio.Event()
    async with gateway.open(timeout_s=0.05):
        response = await gateway.send(a_body())
    assert response.status == 503
    assert (await response.json())["code"] == "overloaded"


async def test_a_failure_inside_is_500_and_tells_nothing_of_it() -> None:
    gateway = Gateway()
    gateway.desk.error = RuntimeError("password=secret")
    async with gateway.open():
        response = await gateway.send(a_body())
    assert response.status == 500
    assert "secret" not in await response.text()


async def test_a_directory_that_does_not_answer_is_503() -> None:
    gateway = Gateway()
    gateway.directory.error = TransientError("no database", 1_000)
    async with gateway.open():
        response = await gateway.send(a_body())
    assert (response.status, response.headers["Retry-After"]) == (503, "1")


async def test_requests_are_counted_by_route_and_never_by_what_a_stranger_wrote() -> None:
    gateway = Gateway()
    cascade = a_cascade()
    gateway.desk.cascades[cascade.message_id] = cascade
    async with gateway.open():
        await gateway.ask("GET", f"/v1/messages/{cascade.message_id}")
        await gateway.ask("GET", "/v1/nowhere/x")
        await gateway.ask("LOCK", "/v1/nowhere/x")
        text = await (await gateway.ask("GET", "/metrics", None)).text()
    assert 'hermes_api_requests_total{endpoint="/v1/messages/{id}",method="GET",status="200"} 1.0' in text
    assert 'endpoint="unmatched",method="other",status="404"' in text
    assert "nowhere" not in text
    assert "LOCK" not in text
