"""The real Kafka and PostgreSQL for the tests that ask for them, started once a session in a folder of their own."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.kafka import KafkaBroker
from deploy.local.postgres import Postgres

START_MS = 60_000
STOP_MS = 5_000


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the servers of this session are."""

    bootstrap: str
    dsn: str


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Give the addresses of a running Kafka and PostgreSQL; tests use topics and tables of their own names."""
    # not pytest's own folder: that is private to one user, and as root PostgreSQL runs as another
    state_dir = Path(tempfile.mkdtemp(prefix="hermes-stack-"))
    servers = (KafkaBroker(state_dir), Postgres(state_dir))
    try:
        for server in servers:
            server.start()
        for server in servers:
            server.wait_ready(START_MS)
        yield Stack(bootstrap=servers[0].bootstrap, dsn=servers[1].dsn)
    finally:
        for server in servers:
            server.stop(STOP_MS)
        shutil.rmtree(state_dir)
