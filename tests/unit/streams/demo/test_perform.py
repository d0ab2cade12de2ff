"""Scenarios as they run: whatever breaks in one is a failed expectation, and the table is what the stack can do."""

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from streams.demo.expectations import Checks
from streams.demo.perform import run
from streams.demo.scenarios import Scenario, phases
from streams.demo.screen import LineScreen, SilentScreen
from streams.demo.world import World
from tests.unit.streams.demo.scripted import NOT_FOUND, world_of


async def _breaks(_world: World, checks: Checks) -> None:
    checks.expect("it begins", True, "yes")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_refuses())


async def _refuses() -> None:
    raise ConnectionRefusedError("nobody listens")


async def test_a_scenario_that_breaks_in_a_task_is_a_failed_expectation_that_names_the_cause(tmp_path: Path) -> None:
    result = await run(world_of(tmp_path, lambda *_: NOT_FOUND), Scenario("one", _breaks), SilentScreen())
    assert not result.ok
    assert [(one.what, one.ok, one.got) for one in result.expectations] == [
        ("it begins", True, "yes"),
        ("it runs to its end", False, "ConnectionRefusedError: nobody listens"),
    ]


async def test_a_mistake_of_ours_is_not_caught(tmp_path: Path) -> None:
    async def mistaken(_world: World, _checks: Checks) -> None:
        raise TypeError("a mistake")

    world = world_of(tmp_path, lambda *_: NOT_FOUND)
    with pytest.raises(TypeError, match="a mistake"):
        await run(world, Scenario("one", mistaken), SilentScreen())


async def test_a_scenario_that_ends_is_a_line_for_people(tmp_path: Path) -> None:
    out = io.StringIO()
    world = world_of(tmp_path, lambda *_: NOT_FOUND)
    await run(world, Scenario("one", _breaks), LineScreen(Console(file=out, soft_wrap=True)))
    assert out.getvalue().startswith("  FAILED one ")
    assert "1/2" in out.getvalue()


def test_smpp_and_smtp_are_shown_when_the_ready_file_has_their_addresses() -> None:
    def names(**more: str) -> set[str]:
        return {one.name for phase in phases(more) for one in phase}

    added = names(smpp="127.0.0.1:1", smtp="127.0.0.1:2") - names()
    assert added == {"a message through SMPP, with its receipt", "a message through SMTP"}


def test_the_crash_runs_alone_and_the_money_comes_last() -> None:
    *_, crash, money = phases({})
    assert [one.name for one in crash] == ["pipeline killed (-9) in mid-flight, nothing lost"]
    assert [one.name for one in money] == ["the money adds up"]
