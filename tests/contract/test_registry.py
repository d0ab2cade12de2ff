"""Both registries keep the same promises: one id a type, its schema behind it, and none behind an id that nobody gave."""

from collections.abc import Iterator

import pytest

from domain.billing.money import Grant
from domain.cascade.events import ReceiptArrived
from domain.message import Body, Recipient, SendRequest, Submission
from domain.tenant import Tenant
from schemas.catalogue import TYPES, codec
from schemas.codec import Codec, UnreadableError
from schemas.confluent import ConfluentRegistry
from schemas.registry import FileRegistry, Registry, UnknownSchemaError
from tests.fakes.fake_schema_registry import FakeSchemaRegistry

NOBODYS_ID = 2**31 - 1
VALUES = (
    Grant("t-1", "g-1", 5, 6),
    ReceiptArrived("m-1", 1, 2, "telia", "delivered", "000", 1, 30_000, 12_000),
    Tenant("t-1", "Acme", "business", "active"),
    Submission(
        "m-1", "t-1", "k-1", "send", "rest", 0, "", b"f", 1, 0, "tr",
        SendRequest(Recipient("phone", phone="+4520123456"), Body("ä"), (), "delivered", 1),
    ),
)  # fmt: skip


@pytest.fixture(params=["checked in", "Confluent"])
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    if request.param == "checked in":
        yield FileRegistry.load()
        return
    with FakeSchemaRegistry() as fake:
        yield ConfluentRegistry.of(f"http://{fake.address}")


def test_each_type_has_an_id_of_its_own_and_always_the_same(registry: Registry) -> None:
    ids = [registry.id_of(t) for t in TYPES]

    assert len(set(ids)) == len(TYPES)
    assert ids == [registry.id_of(t) for t in TYPES]


def test_the_schema_of_a_type_is_behind_its_id(registry: Registry) -> None:
    for value_type in TYPES:
        found = registry.schema_of(registry.id_of(value_type))
        assert (found["type"], found["namespace"], found["name"]) == ("record", "hermes", value_type.__name__)


@pytest.mark.parametrize("schema_id", [NOBODYS_ID, 2**32 - 1])
def test_an_id_that_nobody_gave_is_unknown(registry: Registry, schema_id: int) -> None:
    with pytest.raises(UnknownSchemaError):
        registry.schema_of(schema_id)


def test_a_codec_reads_what_it_wrote(registry: Registry) -> None:
    records = codec(registry)

    assert [records.decode(records.encode(value)) for value in VALUES] == list(VALUES)


def test_a_record_under_an_unknown_id_is_unreadable_and_no_more(registry: Registry) -> None:
    with pytest.raises(UnreadableError):
        codec(registry).decode(b"\0" + NOBODYS_ID.to_bytes(4, "big") + b"x")


def test_another_process_of_another_codec_reads_it_by_its_id_alone() -> None:
    with FakeSchemaRegistry() as fake:
        written = codec(ConfluentRegistry.of(f"http://{fake.address}")).encode(VALUES[3])
        reader = Codec(ConfluentRegistry.of(f"http://{fake.address}"), (Submission,))

        assert reader.decode(written) == VALUES[3]
