"""Values to octets and back, in the Confluent wire format: 0, the schema id in four octets, the Avro body."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import fastavro
from fastavro.read import SchemaResolutionError
from fastavro.schema import SchemaParseException, UnknownType

from schemas.convert import converters
from schemas.derive import NAMESPACE, schema_of
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
    """Encodes and decodes the values of the catalogue. Schemas are parsed once, when the codec is built."""

    registry: Registry
    types: tuple[type, ...]
    _writers: dict[type, tuple[bytes, Any, Callable[[Any], dict[str, Any]]]] = field(init=False, default_factory=dict)
    _readers: dict[int, tuple[Any, Any, Callable[[dict[str, Any]], Any]]] = field(init=False, default_factory=dict)
    _by_name: dict[str, tuple[Any, Callable[[dict[str, Any]], Any]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for value_type in self.types:
            parsed: Any = fastavro.parse_schema(schema_of(value_type))
            to, back = converters(value_type)
            schema_id = self.registry.id_of(value_type)
            self._writers[value_type] = (_HEADER.pack(0, schema_id), parsed, to)
            self._readers[schema_id] = (parsed, None, back)
            self._by_name[f"{NAMESPACE}.{value_type.__name__}"] = (parsed, back)

    def encode(self, value: Any) -> bytes:
        """The octets of a value of the catalogue."""
        header, parsed, to = self._writers[type(value)]
        out = BytesIO()
        out.write(header)
        fastavro.schemaless_writer(out, parsed, to(value))
        return out.getvalue()

    def decode(self, octets: bytes) -> Any:
        """The value of a record; UnreadableError when it is none of ours."""
        if len(octets) < _HEADER.size or octets[0] != 0:
            raise UnreadableError("not in the Confluent wire format")
        schema_id = int.from_bytes(octets[1:5], "big")
        reader = self._readers.get(schema_id) or self._older(schema_id)
        written, wanted, back = reader
        source = BytesIO(octets)
        source.seek(_HEADER.size)
        try:
            plain: Any = fastavro.schemaless_reader(source, written, wanted)
            value = back(plain)
        except _UNREADABLE as error:
            raise UnreadableError(f"schema {schema_id}: {type(error).__name__}: {error}") from error
        if source.read(1):
            raise UnreadableError(f"schema {schema_id}: octets follow the record")
        return value

    def _older(self, schema_id: int) -> tuple[Any, Any, Callable[[dict[str, Any]], Any]]:
        try:
            written = self.registry.schema_of(schema_id)
            wanted, back = self._by_name[f"{NAMESPACE}.{written['name']}"]
            reader = (fastavro.parse_schema(written), wanted, back)
        except (UnknownSchemaError, KeyError, SchemaParseException, UnknownType) as error:
            raise UnreadableError(str(error)) from error
        self._readers[schema_id] = reader
        return reader
