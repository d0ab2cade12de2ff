"""The documented example is a file that works, with every key in it."""

import re
import tomllib
from pathlib import Path

from pydantic import BaseModel

from streams.settings.example import example
from streams.settings.load import models_in, parse
from streams.settings.model import Settings


def keys_of(model: type[BaseModel]) -> set[str]:
    found = set(model.model_fields)
    return found.union(*(keys_of(m) for f in model.model_fields.values() for m in models_in(f.annotation)))


def test_the_example_as_it_is_has_every_default() -> None:
    settings = parse(example().encode(), "example", Path())

    assert settings == Settings()


def test_the_example_without_its_comment_signs_names_every_key_and_is_valid(tmp_path: Path) -> None:
    for name in ("s1.pem", "carrier-ca.pem", "mail-ca.pem", "tls.pem", "tls.key"):
        (tmp_path / name).touch()
    text = re.sub(r"^#(\[|\w+ = )", r"\1", example(), flags=re.MULTILINE)

    settings = parse(text.encode(), "example", tmp_path)

    assert settings.carriers[0].name == "telia"
    assert settings.tenants[0].quiet_hours is not None
    written = set(re.findall(r"^\[*([\w.]+)", text, re.MULTILINE)) | set(tomllib.loads(text))
    assert keys_of(Settings) <= {part for name in written for part in name.split(".")}


def test_every_key_is_documented() -> None:
    def undocumented(model: type[BaseModel]) -> list[str]:
        inner = [m for f in model.model_fields.values() for m in models_in(f.annotation)]
        here = [f"{model.__name__}.{name}" for name, f in model.model_fields.items() if not f.description]
        return here + [name for m in inner for name in undocumented(m)]

    assert undocumented(Settings) == []
