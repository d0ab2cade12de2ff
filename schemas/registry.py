"""Schema ids: which id a value is written under, and which schema an id on the wire means.

By default ids come from `schemas/avro/ids.json`, checked in: for each record its versions, oldest first, each with id and
schema. A process needs no network to read any record that a released Hermes ever wrote.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from schemas.derive import NAMESPACE, schema_of

FOLDER = Path(__file__).parent / "avro"


class UnknownSchemaError(LookupError):
    """A record was written under a schema id that this registry does not have."""


class Registry(Protocol):
    """Where schema ids come from."""

    def id_of(self, value_type: type) -> int:
        """The id that values of `value_type` are written under."""
        ...

    def schema_of(self, schema_id: int) -> dict[str, Any]:
        """The schema behind an id; UnknownSchemaError."""
        ...


@dataclass(frozen=True, slots=True)
class FileRegistry:
    """The checked-in catalogue of ids."""

    current: dict[str, int]
    schemas: dict[int, dict[str, Any]]

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "FileRegistry":
        """Read `ids.json` of a folder."""
        versions = json.loads((folder / "ids.json").read_text())
        return cls(
            {name: known[-1]["id"] for name, known in versions.items()},
            {v["id"]: v["schema"] for known in versions.values() for v in known},
        )

    def id_of(self, value_type: type) -> int:
        """The newest id of the type's record."""
        return self.current[f"{NAMESPACE}.{value_type.__name__}"]

    def schema_of(self, schema_id: int) -> dict[str, Any]:
        """The schema behind an id."""
        try:
            return self.schemas[schema_id]
        except KeyError:
            raise UnknownSchemaError(f"schema id {schema_id} is not in the catalogue") from None


def write_files(types: tuple[type, ...], folder: Path = FOLDER) -> None:
    """Bring `*.avsc` and `ids.json` up to date: a changed record gets a new id, an old version stays."""
    folder.mkdir(exist_ok=True)
    ids = folder / "ids.json"
    versions: dict[str, list[dict[str, Any]]] = json.loads(ids.read_text()) if ids.exists() else {}
    last = max((v["id"] for known in versions.values() for v in known), default=0)
    for value_type in sorted(types, key=lambda t: t.__name__):
        schema = schema_of(value_type)
        known = versions.setdefault(f"{NAMESPACE}.{value_type.__name__}", [])
        if not known or known[-1]["schema"] != schema:
            last += 1
            known.append({"id": last, "schema": schema})
        (folder / f"{value_type.__name__}.avsc").write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    ids.write_text(json.dumps(versions, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
