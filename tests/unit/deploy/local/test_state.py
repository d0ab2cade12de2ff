"""A state directory belongs to one supervisor at a time."""

import os
from pathlib import Path

import pytest

from deploy.local.errors import LocalStackError, StateInUseError
from deploy.local.state import hold


def test_a_second_holder_is_refused_with_the_process_that_holds_it(tmp_path: Path) -> None:
    with (
        hold(tmp_path / "state"),
        pytest.raises(StateInUseError, match=f"process {os.getpid()}"),
        hold(tmp_path / "state"),
    ):
        raise AssertionError("held twice")


def test_it_can_be_held_again_after_it_was_let_go_and_is_private(tmp_path: Path) -> None:
    for _ in range(2):
        with hold(tmp_path / "state") as state:
            assert state == tmp_path / "state"
            assert state.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalStackError, match="cannot be used"), hold(tmp_path / "file" / "state"):
        raise AssertionError("held a file")
