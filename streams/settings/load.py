"""Reads a settings file; everything that is wrong with it is said at once, with the nearest name for an unknown key."""

import difflib
import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from domain.errors import ConfigError
from streams.settings.model import Settings
from streams.settings.rules import broken_rules
from streams.settings.sandbox import sandbox_settings
from streams.settings.values import FOLDER

MAX_FILE_OCTETS = 4 * 1024 * 1024
MAX_PROBLEMS = 100


def load(path: Path | None) -> Settings:
    """The settings of a file, or those of the sandbox without one; ConfigError, one line a problem."""
    if path is None:
        return sandbox_settings()
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_FILE_OCTETS + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if len(octets) > MAX_FILE_OCTETS:
        raise ConfigError(f"{path}: is larger than {MAX_FILE_OCTETS} bytes")
    return parse(octets, str(path), path.absolute().parent)


def parse(octets: bytes, name: str, folder: Path) -> Settings:
    """The settings in a TOML document; `name` begins each problem, files are relative to `folder`. ConfigError."""
    try:
        document = tomllib.loads(octets.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: is no TOML: {error}") from error
    try:
        settings = Settings.model_validate(document, context={FOLDER: folder})
    except ValidationError as error:
        problems = [_sentence(tuple(e["loc"]), e["type"], e["msg"]) for e in error.errors(include_input=False)]
    else:
        problems = broken_rules(settings)
        if not problems:
            return settings
    more = len(problems) - MAX_PROBLEMS
    shown = [f"{name}: {problem}" for problem in problems[:MAX_PROBLEMS]]
    raise ConfigError("\n".join([*shown, *([f"{name}: and {more} more"] if more > 0 else [])]))


def nearest(wrong: str, right: list[str]) -> str:
    """What to add to a problem with a name: the nearest right one, all when they are few, nothing for none."""
    close = difflib.get_close_matches(wrong, right, 1, 0.5)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there is {', '.join(right)}" if 0 < len(right) <= 8 else ""


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The tables that a field may hold, through tuples and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models_in(inner)]


def _sentence(place: tuple[int | str, ...], kind: str, message: str) -> str:
    where = ".".join(map(str, place))
    if kind == "extra_forbidden":
        return f"{where} is not a key{nearest(str(place[-1]), _keys_at(place[:-1]))}"
    if kind == "missing":
        return f"{where} is missing"
    text = message.removeprefix("Value error, ")
    return f"{where}: {text[:1].lower()}{text[1:]}"


def _keys_at(place: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at a place."""
    model: type[BaseModel] = Settings
    for step in place:
        if isinstance(step, str) and step in model.model_fields:
            found = models_in(model.model_fields[step].annotation)
            if not found:
                return []
            model = found[0]
    return list(model.model_fields)
