"""Migrations against a real PostgreSQL."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from domain.errors import ConfigError
from schemas.sql.migrate import migrate, migrations
from tests.conftest import Stack
from tests.integration.database.conftest import create

pytestmark = pytest.mark.integration


async def test_processes_that_start_at_once_apply_each_file_once(stack: Stack) -> None:
    dsn = await create(stack.dsn, "hermes_migrate_race")
    done = await asyncio.gather(*(migrate(dsn) for _ in range(4)))
    assert sorted(done, reverse=True)[0] == tuple(m.name for m in migrations())
    assert sum(len(d) for d in done) == len(migrations())
    assert await migrate(dsn) == ()


async def test_a_file_that_fails_leaves_nothing_and_the_ones_before_it_stay(stack: Stack, tmp_path: Path) -> None:
    dsn = await create(stack.dsn, "hermes_migrate_half")
    (tmp_path / "0001_a.sql").write_text("create table a (x int);")
    (tmp_path / "0002_b.sql").write_text("create table b (x int); select 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(dsn, tmp_path)
    (tmp_path / "0002_b.sql").write_text("create table b (x int);")
    assert await migrate(dsn, tmp_path) == ("0002_b.sql",)


async def test_a_file_that_was_changed_after_it_was_applied_is_an_error(stack: Stack, tmp_path: Path) -> None:
    dsn = await create(stack.dsn, "hermes_migrate_changed")
    (tmp_path / "0001_a.sql").write_text("create table a (x int);")
    await migrate(dsn, tmp_path)
    (tmp_path / "0001_a.sql").write_text("create table a (x bigint);")
    with pytest.raises(ConfigError, match="0001_a"):
        await migrate(dsn, tmp_path)
