"""Writes, once a type, the two functions between a dataclass and the plain structure that fastavro takes and gives."""

import dataclasses
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from schemas.derive import NAMESPACE

_PLAIN = (str, int, float, bool, bytes)


def converters(value_type: type) -> tuple[Callable[[Any], dict[str, Any]], Callable[[dict[str, Any]], Any]]:
    """(to plain, from plain) for a dataclass. Generated source runs twice as fast as walking the fields each time."""
    names: dict[str, Any] = {}
    source: list[str] = []
    _write(value_type, names, source)
    exec("\n".join(source), names)  # noqa: S102 - the source is made here from our own dataclasses
    return names[f"to_{value_type.__name__}"], names[f"from_{value_type.__name__}"]


def _write(value_type: type, names: dict[str, Any], source: list[str]) -> None:
    name = value_type.__name__
    if name in names:
        return
    names[name] = value_type
    hints = get_type_hints(value_type)
    fields = [f.name for f in dataclasses.fields(value_type)]
    for hint in hints.values():
        for nested in _nested(hint):
            _write(nested, names, source)
    to = ", ".join(f"{f!r}: {_to(f'o.{f}', hints[f])}" for f in fields)
    back = ", ".join(_from(f"d[{f!r}]", hints[f]) for f in fields)
    source.append(f"def to_{name}(o): return {{{to}}}")
    source.append(f"def from_{name}(d): return {name}({back})")


def _nested(hint: Any) -> list[type]:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return [hint]
    if get_origin(hint) in (tuple, dict, Union, UnionType):
        return [n for a in get_args(hint) if a not in (NoneType, Ellipsis) for n in _nested(a)]
    return []


def _to(expression: str, hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if hint in _PLAIN or origin in (Literal, dict):
        return expression
    if origin is tuple:
        return f"[{_to('x', args[0])} for x in {expression}]" if _nested(args[0]) else expression
    if origin in (Union, UnionType):
        inner = next(a for a in args if a is not NoneType)
        if dataclasses.is_dataclass(inner) and isinstance(
            inner, type
        ):  # naming the branch spares fastavro the trial of each
            return f"None if {expression} is None else ({f'{NAMESPACE}.{inner.__name__}'!r}, to_{inner.__name__}({expression}))"
        return expression
    return f"to_{hint.__name__}({expression})"


def _from(expression: str, hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if hint in _PLAIN or origin in (Literal, dict):
        return expression
    if origin is tuple:
        return f"tuple([{_from('x', args[0])} for x in {expression}])" if _nested(args[0]) else f"tuple({expression})"
    if origin in (Union, UnionType):
        inner = next(a for a in args if a is not NoneType)
        return f"None if {expression} is None else {_from(expression, inner)}" if _nested(inner) else expression
    return f"from_{hint.__name__}({expression})"
