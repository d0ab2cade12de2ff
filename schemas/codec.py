"""Values to octets and back, in the Confluent wire format: 0, the schema id in four octets, the Avro body."""

import struct
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import fastavro
from fastavro.read import SchemaResolutionError
from fastavro.schema import SchemaParseException, UnknownType

from schemas.avro_wire import Get, Put
from schemas.derive import NAMESPACE, schema_of
from schemas.generate import Generator
from schemas.registry import Registry, UnknownSchemaError

MAX_RECORD_OCTETS = 2 * 1024 * 1024
"""No record is larger; the broker is told the same."""

_HEADER = struct.Struct(">bI")
_UNREADABLE = (
    EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError, SchemaResolutionError,
)  # fmt: skip
"""What fastavro raises for octets that are no record, or for a version that the newest cannot be read from."""


class UnreadableError(ValueError):
    """The octets are no record of this codec; the message says why."""


@dataclass(slots=True)
class Codec:
    """Encodes and decodes the values of the catalogue.

    Values of the newest version go through generated functions; those of an older one are resolved by fastavro, which
    gives the octets of the newest.
    """

    registry: Registry
    types: tuple[type, ...]
    repeated: frozenset[type] = frozenset()
    _writers: dict[type, tuple[bytes, Put]] = field(init=False, default_factory=dict)
    _readers: dict[int, Get] = field(init=False, default_factory=dict)
    _by_name: dict[str, tuple[Any, Get]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        generator = Generator(self.repeated)
        for value_type in self.types:
            put, get = generator.functions(value_type)
            schema_id = self.registry.id_of(value_type)
            self._writers[value_type] = (_HEADER.pack(0, schema_id), put)
            self._readers[schema_id] = get
            self._by_name[f"{NAMESPACE}.{value_type.__name__}"] = (schema_of(value_type), get)

    def encode(self, value: Any) -> bytes:
        """The octets of a value of the catalogue."""
        header, put = self._writers[type(value)]
        return header + put(value)

    def decode(self, octets: bytes) -> Any:
        """The value of a record; UnreadableError when it is none of ours."""
        if len(octets) < _HEADER.size or octets[0] != 0:
            raise UnreadableError("not in the Confluent wire format")
        schema_id = int.from_bytes(octets[1:5], "big")
        get = self._readers.get(schema_id) or self._older(schema_id)
        try:
            value, end = get(octets, _HEADER.size)
        except _UNREADABLE as error:
            raise UnreadableError(f"schema {schema_id}: {type(error).__name__}: {error}") from error
        if end < len(octets):
            raise UnreadableError(f"schema {schema_id}: octets follow the record")
        if end > len(octets):
            raise UnreadableError(f"schema {schema_id}: the record is cut off")
        return value

    def _older(self, schema_id: int) -> Get:
        """Reads a version that is not the newest, by way of the newest."""
        try:
            written = self.registry.schema_of(schema_id)
            wanted, get = self._by_name[f"{NAMESPACE}.{written['name']}"]
            older: Any = fastavro.parse_schema(written)
            newest: Any = fastavro.parse_schema(wanted)
        except (UnknownSchemaError, KeyError, SchemaParseException, UnknownType) as error:
            raise UnreadableError(str(error)) from error

        def resolved(octets: bytes, at: int) -> tuple[Any, int]:
            source, target = BytesIO(octets), BytesIO()
            source.seek(at)
            plain: Any = fastavro.schemaless_reader(source, older, newest)
            fastavro.schemaless_writer(target, newest, plain)
            return get(target.getvalue(), 0)[0], source.tell()

        self._readers[schema_id] = resolved
        return resolved
