"""The numbered files."""

from pathlib import Path

import pytest

from domain.errors import ConfigError
from schemas.sql.migrate import migrations


def test_files_are_numbered_from_one_without_a_gap() -> None:
    assert [m.version for m in migrations()] == list(range(1, len(migrations()) + 1))


def test_two_files_with_one_number_are_an_error_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("select 1")
    (tmp_path / "notes.sql").write_text("select 1")
    assert [m.name for m in migrations(tmp_path)] == ["0001_a.sql"]
    (tmp_path / "0001_b.sql").write_text("select 1")
    with pytest.raises(ConfigError):
        migrations(tmp_path)
