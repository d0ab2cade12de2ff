"""A Confluent registry over loopback: what is asked, how often, and what is said of one that refuses or is away."""

import json
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from domain.billing.money import Grant
from domain.errors import ConfigError, TransientError
from schemas.codec import Codec, UnreadableError
from schemas.confluent import MAX_ANSWER_OCTETS, ConfluentRegistry, Place
from schemas.registry import UnknownSchemaError
from streams import cli
from tests.fakes.fake_schema_registry import FakeSchemaRegistry
from tests.integration.peers import self_signed

HERMES_GRANT: dict[str, Any] = {"type": "record", "name": "Grant", "namespace": "hermes"}


@dataclass(frozen=True, slots=True)
class Other:
    """A record that the registry has not seen."""

    name: str
    more: int


def test_each_type_is_registered_once_under_its_full_name_and_its_schema_is_not_asked_back() -> None:
    with FakeSchemaRegistry() as fake:
        registry = ConfluentRegistry.of(f"http://{fake.address}/")
        found = [registry.id_of(Grant), registry.id_of(Grant)]
        registry.schema_of(found[0])

    assert found == [1_001, 1_001]
    assert fake.requests == [("POST", "/subjects/hermes.Grant/versions")]


def test_a_schema_that_was_asked_for_once_is_kept() -> None:
    with FakeSchemaRegistry() as fake:
        schema_id = ConfluentRegistry.of(f"http://{fake.address}").id_of(Grant)
        registry = ConfluentRegistry.of(f"http://{fake.address}")
        fake.requests.clear()
        assert registry.schema_of(schema_id) == registry.schema_of(schema_id)

    assert fake.requests == [("GET", f"/schemas/ids/{schema_id}")]


def test_user_and_password_are_sent_and_a_wrong_one_is_the_users_error() -> None:
    with FakeSchemaRegistry(authorization="Basic YW5uOmh1c2g=") as fake:
        assert ConfluentRegistry.of(f"http://ann:hush@{fake.address}").id_of(Grant)
        with pytest.raises(ConfigError, match="Unauthorized") as refused:
            ConfluentRegistry.of(f"http://ann:wrong-one@{fake.address}").id_of(Grant)

    assert "wrong-one" not in str(refused.value)


def test_an_incompatible_change_is_named() -> None:
    older = {**HERMES_GRANT, "name": "Other", "fields": [{"name": "name", "type": "string"}]}
    with (
        FakeSchemaRegistry(schemas={7: json.dumps(older)}, subjects={"hermes.Other": [7]}) as fake,
        pytest.raises(ConfigError, match="incompatible") as refused,
    ):
        ConfluentRegistry.of(f"http://{fake.address}").id_of(Other)

    assert "hermes.Other" in str(refused.value)


@pytest.mark.parametrize(
    "answer",
    [
        (500, b'{"error_code":50001,"message":"Error in the backend data store"}'),
        (503, b"<html>"),
        (429, b""),
    ],
)
def test_a_registry_in_trouble_is_asked_again_later(answer: tuple[int, bytes]) -> None:
    with FakeSchemaRegistry(answer_next=[answer]) as fake:
        registry = ConfluentRegistry.of(f"http://{fake.address}")
        with pytest.raises(TransientError):
            registry.id_of(Grant)
        assert registry.id_of(Grant) == 1_001


def test_a_registry_that_is_away_is_a_transient_error_also_while_decoding() -> None:
    with FakeSchemaRegistry() as fake:
        records = Codec(ConfluentRegistry.of(f"http://{fake.address}"), (Grant,))

    with pytest.raises(TransientError, match="does not answer"):
        records.decode(b"\0\0\0\0\x63body")


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"id": true}'),
        (200, b'{"id": -1}'),
        (200, b'{"id": 4294967296}'),
        (200, b" " * (MAX_ANSWER_OCTETS + 1)),
        (200, b"[" * 100_000),
        (302, b""),
        (404, b"nginx"),
        (422, b'{"error_code":42201,"message":"Invalid schema"}'),
    ],
)
def test_what_is_no_answer_of_a_registry_is_the_users_error(answer: tuple[int, bytes]) -> None:
    with FakeSchemaRegistry(answer_next=[answer]) as fake, pytest.raises(ConfigError):
        ConfluentRegistry.of(f"http://{fake.address}").id_of(Grant)

    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "told",
    [
        {"schema": '"string"'},
        {"schema": "{"},
        {},
        {"schema": json.dumps(HERMES_GRANT), "schemaType": "PROTOBUF"},
        {"schema": json.dumps({**HERMES_GRANT, "namespace": "other"})},
        {"schema": json.dumps({**HERMES_GRANT, "name": "other.Grant"})},
        {"schema": json.dumps({**HERMES_GRANT, "name": "Nothing"})},
        {"schema": json.dumps({**HERMES_GRANT, "fields": [{"name": "x", "type": "nonsense"}]})},
    ],
)
def test_a_schema_that_is_none_of_ours_makes_its_record_unreadable(told: dict[str, Any]) -> None:
    with FakeSchemaRegistry() as fake:
        records = Codec(ConfluentRegistry.of(f"http://{fake.address}"), (Grant,))
        fake.answer_next.append((200, json.dumps(told).encode()))
        with pytest.raises(UnreadableError):
            records.decode(b"\0\0\0\0\x63body")


def test_a_full_name_is_as_good_as_name_and_namespace() -> None:
    with FakeSchemaRegistry(schemas={7: json.dumps({"type": "record", "name": "hermes.Grant", "fields": []})}) as fake:
        assert ConfluentRegistry.of(f"http://{fake.address}").schema_of(7)["name"] == "Grant"
        with pytest.raises(UnknownSchemaError):
            ConfluentRegistry.of(f"http://{fake.address}").schema_of(8)


def test_a_registry_that_is_not_there_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransientError, match=f"127.0.0.1:{port}"):
        ConfluentRegistry.of(f"http://127.0.0.1:{port}").id_of(Grant)


def test_the_certificate_is_verified(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)
    with FakeSchemaRegistry(tls=context) as fake:
        with pytest.raises(ConfigError, match="not trusted"):
            ConfluentRegistry.of(f"https://{fake.address}").id_of(Grant)
        trust = ssl.create_default_context(cafile=str(certificate))
        assert ConfluentRegistry(Place.parse(f"https://{fake.address}"), trust).id_of(Grant) == 1_001


def test_up_says_what_is_wrong_with_a_url_before_it_starts_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["up", "--state", str(tmp_path / "state"), "--registry", "http://ann:hush-hush@registry.example"]

    assert cli.main(given) == cli.EXIT_USER
    told = capsys.readouterr().err
    assert "use https" in told
    assert "hush" not in told
    assert not (tmp_path / "state").exists()
