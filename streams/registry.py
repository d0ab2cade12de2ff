"""Which registry gives the schema ids of a state: the checked-in catalogue, or a Confluent one, and never the other later."""

from pathlib import Path
from typing import Final

from domain.errors import ConfigError
from schemas.confluent import ConfluentRegistry, Place
from schemas.registry import FileRegistry, Registry
from streams.private import read_json, write_json

REGISTRY_VARIABLE: Final = "HERMES_REGISTRY"
CATALOGUE: Final = "catalogue"
"""What a state remembers when its ids are the checked-in ones."""


def registry_of(url: str) -> Registry:
    """The registry at a URL, or the checked-in catalogue for none; ConfigError for what is no URL of a registry."""
    return ConfluentRegistry.of(url) if url else FileRegistry.load()


def remember_registry(state: Path, url: str) -> None:
    """This state's records are written under ids of this registry: the same number means something else in another.

    Raises:
        ConfigError: they were written under those of another one.
    """
    path = state / "registry.json"
    wanted = str(Place.parse(url)) if url else CATALOGUE
    known = read_json(path).get("registry", wanted)
    if known != wanted:
        raise ConfigError(
            f"the records of {state} have schema ids of {known}, not of {wanted}: give it by --registry"
            f" (or nothing for the {CATALOGUE}), begin a new state, or, if only its address is new, change {path}"
        )
    write_json(path, {"registry": wanted})
