"""Starts one role in this process: logs, settings, signals, context; then the role's own `run`."""

import gc
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog

from domain.errors import ConfigError
from streams.logs import configure
from streams.private import read_json, write_json
from streams.registry import registry_of
from streams.roles.context import RoleContext, StopFlag
from streams.salt import salt_key
from streams.settings.load import load
from streams.settings.ports import ports_of

ROLES: Final = ("gateway", "pipeline", "egress", "archive", "insight")

GC_THRESHOLDS: Final = (50_000, 20, 100)
"""Python's own are made for small programs: with thousands of rows in memory they cost an eighth of the pipeline's time."""

log = structlog.get_logger()


def announcement_path(state: Path, role: str) -> Path:
    """The file in which a role says that it answers."""
    return state / "run" / f"{role}.json"


def announcement(state: Path, role: str) -> dict[str, Any]:
    """What the role said last: its `pid` and its addresses; empty when it said nothing."""
    return read_json(announcement_path(state, role))


def start_role(
    role: str, state: Path, bootstrap: str, dsn: str, config: Path | None, slot: int = 0, registry: str = ""
) -> int:
    """Run a role to its end and give its exit status; ConfigError for settings that cannot be."""
    if not dsn:
        raise ConfigError("where is PostgreSQL? Give --postgres or set HERMES_POSTGRES")
    stop = StopFlag()
    stop.listen()
    place = state.absolute()
    configure(role, hash_key=salt_key(place))
    settings = load(config)

    def announce(addresses: dict[str, object]) -> None:
        write_json(announcement_path(place, role), {"pid": os.getpid(), **addresses})
        log.info("role_ready", **{name: str(value) for name, value in addresses.items()})

    context = RoleContext(
        settings=settings,
        state=place,
        bootstrap=bootstrap,
        dsn=dsn,
        name=role,
        ports=ports_of(settings, place),
        announce=announce,
        stop=stop,
        slot=slot,
        registry=registry_of(registry),
    )
    run: Callable[[RoleContext], int] = importlib.import_module(f"streams.roles.{role}").run
    # What is loaded by now stays: the collector need not look at it again, and seldom at the rest, which has few cycles.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    return run(context)
