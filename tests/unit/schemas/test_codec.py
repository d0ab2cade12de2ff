"""Every value of the catalogue survives the wire, and what is no record of ours is told from one."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.cascade.events import TimerFired
from schemas.catalogue import TYPES, codec
from schemas.codec import Codec, UnreadableError
from schemas.registry import FileRegistry
from schemas.rows import RateWindow
from tests.unit.schemas.avro_values import values

CODEC = codec()
TIMER = TimerFired("msg-1", 3, 1_767_614_400_000)


@pytest.mark.parametrize("value_type", TYPES, ids=lambda t: t.__name__)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_value_comes_back_as_it_was(value_type: type, data: Any) -> None:
    value = data.draw(values(value_type))
    octets = CODEC.encode(value)
    assert octets[0] == 0
    assert int.from_bytes(octets[1:5], "big") == CODEC.registry.id_of(value_type)
    back = CODEC.decode(octets)
    assert type(back) is value_type
    assert back == value


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "Confluent"),
        (b"\x00\x00\x00", "Confluent"),
        (b"\x01" + CODEC.encode(TIMER)[1:], "Confluent"),
        (b"\x00\xff\xff\xff\xff" + CODEC.encode(TIMER)[5:], "4294967295"),
        (CODEC.encode(TIMER)[:-1], "schema"),
        (CODEC.encode(TIMER) + b"\x00", "octets follow"),
    ],
)
def test_what_is_no_record_is_unreadable_with_a_reason(octets: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        CODEC.decode(octets)


@given(st.sampled_from(sorted(FileRegistry.load().schemas)), st.binary(max_size=200))
def test_whatever_octets_follow_a_known_id_they_are_a_value_or_unreadable(schema_id: int, body: bytes) -> None:
    with suppress(UnreadableError):
        assert CODEC.decode(b"\x00" + schema_id.to_bytes(4, "big") + body) is not None


@pytest.fixture
def grown() -> tuple[FileRegistry, FileRegistry]:
    """A registry in which the row of rate windows has grown a field with a default, and the one before."""
    now = FileRegistry.load()
    new_id = now.id_of(RateWindow)
    old = dict(now.schemas[new_id])
    old["fields"] = [f for f in old["fields"] if f["name"] != "offset"]
    old["fields"].append({"name": "gone", "type": "string"})
    older = FileRegistry({**now.current, "hermes.RateWindow": 9_001}, {**now.schemas, 9_001: old})
    return older, now


def test_a_record_of_an_older_version_without_a_field_that_is_needed_is_unreadable(
    grown: tuple[FileRegistry, FileRegistry],
) -> None:
    older, now = grown
    reader = Codec(FileRegistry(now.current, older.schemas), TYPES)
    with pytest.raises(UnreadableError):
        reader.decode(b"\x00" + (9_001).to_bytes(4, "big") + b"\x00\x00\x00")


def test_a_record_of_an_older_version_is_read_with_the_defaults_of_what_it_lacks() -> None:
    now = FileRegistry.load()
    whole = now.schemas[now.id_of(TimerFired)]
    current = {**whole, "fields": [*whole["fields"], {"name": "extra", "type": "string"}]}
    reader = Codec(FileRegistry(now.current, {**now.schemas, 9_001: current}), TYPES)
    written = CODEC.encode(TIMER)
    body = written[5:] + b"\x06abc"
    for _ in range(2):  # resolved once, then remembered
        assert reader.decode(b"\x00" + (9_001).to_bytes(4, "big") + body) == TIMER
    assert reader.decode(written) == TIMER


def test_a_schema_of_a_record_that_nobody_has_any_more_is_unreadable() -> None:
    now = FileRegistry.load()
    gone = {"type": "record", "name": "Gone", "namespace": "hermes", "fields": []}
    reader = Codec(FileRegistry(now.current, {**now.schemas, 9_001: gone}), TYPES)
    with pytest.raises(UnreadableError, match=r"hermes\.Gone"):
        reader.decode(b"\x00" + (9_001).to_bytes(4, "big"))
