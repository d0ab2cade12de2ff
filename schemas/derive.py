"""Derives an Avro schema from a value's dataclass, so that the two cannot drift apart: a test compares with the files."""

import dataclasses
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

NAMESPACE = "hermes"
Schema = str | dict[str, Any] | list[Any]

_PRIMITIVES: dict[type, str] = {str: "string", int: "long", float: "double", bool: "boolean", bytes: "bytes"}


def schema_of(value_type: type) -> dict[str, Any]:
    """The record schema of a dataclass; nested records are written out where they are first used."""
    return _record(value_type, set())


def _record(value_type: type, seen: set[type]) -> dict[str, Any]:
    seen.add(value_type)
    hints = get_type_hints(value_type)
    fields = []
    for f in dataclasses.fields(value_type):
        entry: dict[str, Any] = {"name": f.name, "type": _type(hints[f.name], seen)}
        if f.default is not dataclasses.MISSING:
            plain, known = _plain(f.default)
            if known:
                entry["default"] = plain
        elif f.default_factory is not dataclasses.MISSING:
            entry["default"] = _plain(f.default_factory())[0]
        fields.append(entry)
    doc = (value_type.__doc__ or "").strip().split("\n")[0]
    return {"type": "record", "name": value_type.__name__, "namespace": NAMESPACE, "doc": doc, "fields": fields}


def _type(hint: Any, seen: set[type]) -> Schema:
    if hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "string"
    if origin is tuple:
        return {"type": "array", "items": _type(args[0], seen)}
    if origin is dict:
        return {"type": "map", "values": _type(args[1], seen)}
    if origin in (Union, UnionType):
        inner = [a for a in args if a is not NoneType]
        if len(inner) != 1:
            raise TypeError(f"only `X | None` can be derived, not {hint}")
        return ["null", _type(inner[0], seen)]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return f"{NAMESPACE}.{hint.__name__}" if hint in seen else _record(hint, seen)
    raise TypeError(f"no Avro type for {hint}")


def _plain(default: Any) -> tuple[Any, bool]:
    """A default as Avro JSON, and whether it can be said there."""
    if default is None or isinstance(default, str | int | float | bool):
        return default, True
    if isinstance(default, tuple):
        return [_plain(d)[0] for d in default], True
    if isinstance(default, dict):
        return default, True
    if dataclasses.is_dataclass(default):
        return {f.name: _plain(getattr(default, f.name))[0] for f in dataclasses.fields(default)}, True
    return None, False
