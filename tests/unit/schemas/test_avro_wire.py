"""Our octets are those of fastavro, for every type of the catalogue and every number; what is malformed is refused."""

import dataclasses
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.avro_wire import LONGS, get_array, get_flag, get_long, get_map, get_optional, get_size, get_text
from schemas.catalogue import TYPES, codec
from schemas.derive import schema_of
from schemas.generate import Generator
from tests.unit.schemas.avro_values import values

CODEC = codec()
HEADER = 5


@pytest.mark.parametrize("value_type", TYPES, ids=lambda t: t.__name__)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_fastavro_writes_the_same_octets(value_type: type, data: Any) -> None:
    value = data.draw(values(value_type))
    schema: Any = fastavro.parse_schema(schema_of(value_type))
    out = BytesIO()
    fastavro.schemaless_writer(out, schema, dataclasses.asdict(value))
    assert CODEC.encode(value)[HEADER:] == out.getvalue()


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_long_is_as_fastavro_has_it(number: int) -> None:
    out = BytesIO()
    fastavro.schemaless_writer(out, "long", number)
    assert LONGS[number] == out.getvalue()
    assert get_long(out.getvalue() + b"x", 0) == (number, len(out.getvalue()))


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**200])
def test_a_number_of_more_than_64_bits_is_not_written(number: int) -> None:
    with pytest.raises(OverflowError):
        LONGS[number]


@pytest.mark.parametrize("octets", [b"\xff" * 11, b"\xff" * 9 + b"\x02", b"\x80", b""])
def test_a_number_that_is_cut_off_or_too_long_is_not_read(octets: bytes) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        get_long(octets, 0)


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        get_size(b"\x01", 0)


def test_a_boolean_and_a_branch_that_nobody_wrote_are_refused() -> None:
    with pytest.raises(ValueError, match="boolean"):
        get_flag(b"\x02", 0)
    with pytest.raises(ValueError, match="branch"):
        get_optional(b"\x04", 0, get_text)


def test_arrays_and_maps_of_several_blocks_with_their_sizes_are_read() -> None:
    array = b"\x02" + b"\x02a" + b"\x01\x04" + b"\x02b" + b"\x00"
    assert get_array(array, 0, get_text) == (("a", "b"), len(array))
    entry = b"\x02k" + b"\x02v"
    assert get_map(b"\x01\x08" + entry + b"\x00", 0, get_text) == ({"k": "v"}, 7)


def test_two_types_of_one_name_are_refused() -> None:
    def named() -> type:
        return dataclasses.make_dataclass("Twice", [("field", str)], slots=True)

    generator = Generator()
    generator.functions(named())
    with pytest.raises(TypeError, match="Twice"):
        generator.functions(named())


def test_a_type_that_does_more_than_hold_its_fields_is_refused() -> None:
    class Doing:
        def __post_init__(self) -> None:
            raise AssertionError

    with pytest.raises(TypeError, match="__post_init__"):
        Generator().functions(dataclasses.dataclass(Doing))
