"""The command line: what it prints, which status it ends with, what it says of an error."""

import sys
from pathlib import Path

import pytest

from streams import cli
from streams.roles import start


def test_config_prints_a_file_that_config_check_accepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["config"]) == 0
    file = tmp_path / "hermes.toml"
    file.write_text(capsys.readouterr().out)

    assert cli.main(["config", "check", str(file)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_an_error_of_the_user_is_on_standard_error_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hermes.toml"
    file.write_text("[gateway]\nhtp_port = 1\n")

    assert cli.main(["config", "check", str(file)]) == cli.EXIT_USER
    told = capsys.readouterr()
    assert told.err == f"hermes: {file}: gateway.htp_port is not a key; did you mean http_port?\n"
    assert told.out == ""


def test_up_refuses_a_wrong_file_before_it_touches_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, state = tmp_path / "hermes.toml", tmp_path / "state"
    file.write_text("[gateway]\nhost = 1\n")

    assert cli.main(["up", "--config", str(file), "--state", str(state)]) == cli.EXIT_USER
    assert "gateway.host" in capsys.readouterr().err
    assert not state.exists()


def test_topology_check_and_draw(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["topology", "check"]) == 0
    assert capsys.readouterr().out.startswith("sound: ")
    assert cli.main(["topology", "draw"]) == 0
    assert "hermes.submissions.v1" in capsys.readouterr().out
    assert cli.main(["topology", "draw", "--mermaid"]) == 0
    assert capsys.readouterr().out.startswith("flowchart LR")


def test_a_role_needs_to_know_its_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["run", "archive", "--state", str(tmp_path), "--kafka", "127.0.0.1:1", "--postgres", ""]

    assert cli.main(given) == cli.EXIT_USER
    assert "HERMES_POSTGRES" in capsys.readouterr().err


def test_the_ledger_of_a_state_that_never_ran_cannot_be_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["billing", "verify", "--state", str(tmp_path), "--postgres", ""]) == cli.EXIT_USER
    assert "before its first start" in capsys.readouterr().err


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out.strip()[0].isdigit()


def test_the_roles_of_the_command_line_are_those_that_can_be_started() -> None:
    assert cli.ROLES == start.ROLES


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    """In a process of its own, for this one has them already."""
    import subprocess  # noqa: PLC0415 - only here

    code = "import sys, streams.cli; print(sorted({'pydantic', 'aiohttp', 'faust', 'asyncpg'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=20)  # noqa: S603 - our own code

    assert told.stdout.strip() == "[]"
