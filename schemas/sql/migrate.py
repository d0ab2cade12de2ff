"""Brings a database up to date: each numbered file once, in one transaction, by one process at a time."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from domain.errors import ConfigError

FOLDER = Path(__file__).parent
MIGRATE_TIMEOUT_MS = 120_000
LOCK = 0x4845524D_0001
"""The advisory lock of whoever migrates."""

_VERSIONS = """
create table if not exists schema_versions (
    version    integer primary key,
    name       text not null,
    sha256     text not null,
    applied_at timestamptz not null default now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name, its text, and the SHA-256 of the text in hex."""

    version: int
    name: str
    text: str
    sha256: str


def migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """The files of a folder, by number; ConfigError when two have the same."""
    found = []
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
        text = path.read_text(encoding="utf-8")
        found.append(Migration(int(path.name[:4]), path.name, text, hashlib.sha256(text.encode()).hexdigest()))
    if len({m.version for m in found}) != len(found):
        raise ConfigError(f"two files of {folder} have the same number")
    return tuple(found)


async def migrate(dsn: str, folder: Path = FOLDER) -> tuple[str, ...]:
    """The database has every file of `folder` applied; the names of those that were applied just now.

    Several processes may call this at once: one works, the others wait for it. Versions that only a newer program knows
    are left alone.

    Raises:
        ConfigError: a file was changed after it had been applied.
        TimeoutError: not done in time.
    """
    async with asyncio.timeout(MIGRATE_TIMEOUT_MS / 1000):
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute("select pg_advisory_lock($1)", LOCK)
            await connection.execute("set client_min_messages = warning")
            await connection.execute(_VERSIONS)
            return await _apply(connection, migrations(folder))
        finally:
            await connection.close()  # gives the lock back


async def _apply(connection: Any, wanted: tuple[Migration, ...]) -> tuple[str, ...]:
    rows = await connection.fetch("select version, sha256 from schema_versions")
    applied = {row["version"]: row["sha256"] for row in rows}
    done = []
    for migration in wanted:
        if migration.version in applied:
            if applied[migration.version] != migration.sha256:
                raise ConfigError(f"{migration.name} is not what was applied: write a new file instead of changing it")
            continue
        async with connection.transaction():
            await connection.execute(migration.text)
            await connection.execute(
                "insert into schema_versions (version, name, sha256) values ($1, $2, $3)",
                migration.version, migration.name, migration.sha256,
            )  # fmt: skip
        done.append(migration.name)
    return tuple(done)
