"""The documented example of a settings file, made from the models: every key with its meaning and its default."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from streams.settings.load import models_in
from streams.settings.model import Settings
from streams.settings.values import DurationMs, duration_text

HEAD = """\
# Settings of Hermes. Every key is here with its default; a key that is not written has it.
# Files are relative to this one. Durations are written as in 500ms, 30s, 10m, 1h, 7d.
# What is commented out below has no default and is an example. Without carriers, routes and mta
# everything is sent to simulated peers on this machine; without tenants there is a demo tenant a tier.
"""


def example() -> str:
    """A TOML document that can be used as it is, with the tables that have no default commented out."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        model = models_in(field.annotation)[0]
        is_list = isinstance(field.default, tuple)
        lines.extend(_table(f"[[{name}]]" if is_list else f"[{name}]", name, field, model))
    return "\n".join(lines)


def _table(title: str, path: str, field: FieldInfo, model: type[BaseModel]) -> Iterator[str]:
    mark = "" if isinstance(field.default, BaseModel) else "#"
    yield f"# {field.description}"
    yield mark + title
    nested: list[tuple[str, FieldInfo, type[BaseModel]]] = []
    for name, inner in model.model_fields.items():
        inside = models_in(inner.annotation)
        if inside:
            nested.append((name, inner, inside[0]))
            continue
        unset = inner.is_required() or inner.default is None
        value = inner.examples[0] if unset and inner.examples else inner.default
        yield f"# {inner.description}{' Required.' if inner.is_required() else ''}"
        yield f"{'#' if unset else mark}{name} = {_toml(value, inner)}"
    yield ""
    for name, inner, deeper in nested:
        is_list = isinstance(inner.default, tuple)
        yield from _table(f"[[{path}.{name}]]" if is_list else f"[{path}.{name}]", f"{path}.{name}", inner, deeper)


def _toml(value: Any, field: FieldInfo) -> str:
    """A value as TOML writes it; JSON's way of writing texts, numbers and lists is TOML's too."""
    if isinstance(value, int) and any(part in field.metadata for part in DurationMs.__metadata__):  # type: ignore[attr-defined]  # Annotated's
        return json.dumps(duration_text(value))
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in value.items()) + " }" if value else "{}"
        )
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
