"""A state keeps to the registry that its records were written under."""

from pathlib import Path

import pytest

from domain.errors import ConfigError
from schemas.confluent import ConfluentRegistry
from schemas.registry import FileRegistry
from streams import cli
from streams.registry import REGISTRY_VARIABLE, registry_of, remember_registry

URL = "https://ann:hush@registry.example/a"


def test_a_url_is_a_confluent_registry_and_none_the_catalogue() -> None:
    assert isinstance(registry_of(URL), ConfluentRegistry)
    assert isinstance(registry_of(""), FileRegistry)


@pytest.mark.parametrize(("first", "then"), [("", URL), (URL, ""), (URL, "https://other.example")])
def test_another_registry_than_the_first_is_refused(tmp_path: Path, first: str, then: str) -> None:
    remember_registry(tmp_path, first)
    remember_registry(tmp_path, first)

    with pytest.raises(ConfigError, match="schema ids of"):
        remember_registry(tmp_path, then)


def test_a_new_password_is_the_same_registry_and_none_is_written_down(tmp_path: Path) -> None:
    remember_registry(tmp_path, URL)
    remember_registry(tmp_path, URL.replace("hush", "new"))

    assert "hush" not in (tmp_path / "registry.json").read_text()


def test_the_command_line_reads_the_variable_that_up_gives_to_its_roles() -> None:
    assert cli.REGISTRY_VARIABLE == REGISTRY_VARIABLE
