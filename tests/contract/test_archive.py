"""What every archive does: the one in memory that other tests trust, and the one in PostgreSQL."""

from dataclasses import replace

import pytest

from domain.cascade.commands import StatusChanged
from domain.cascade.plan import Plan
from domain.cascade.states import Cascade
from domain.ports import Archive
from egress.archive.reader import PostgresArchive
from egress.archive.writer import ArchiveWriter
from tests.fakes.fake_archive import FakeArchive
from tests.integration.database.conftest import Rig, avro, dsn, migrated, pool, rig

__all__ = ["avro", "dsn", "migrated", "pool", "rig"]  # fixtures that the one below asks for by name

PLAN = Plan((), "delivered", 1, "delivered", 0, "")
MINE = Cascade("msg-1", "acme", PLAN, 5, 1, 2, "t", state="expired", reference="r")
THEIRS = replace(MINE, message_id="msg-2", tenant_id="other")


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def place(request: pytest.FixtureRequest) -> Rig | None:
    return request.getfixturevalue("rig") if request.param == "postgres" else None


@pytest.fixture
async def archive(place: Rig | None) -> Archive:
    if place is None:
        return FakeArchive({c.message_id: c for c in (MINE, THEIRS)})
    told = [
        StatusChanged(c.message_id, c.tenant_id, 1, "expired", "", 0, True, "", 1, place.avro.encode(c))
        for c in (MINE, THEIRS)
    ]
    await ArchiveWriter(place.pool, place.avro).apply(told)
    return PostgresArchive(place.pool, place.avro)


async def test_a_tenant_reads_its_own_messages_and_nobody_elses(archive: Archive) -> None:
    assert await archive.message("acme", "msg-1") == MINE
    assert await archive.message("other", "msg-2") == THEIRS
    for tenant, message in (("acme", "msg-2"), ("other", "msg-1"), ("acme", "msg-3"), ("acme", ""), ("acme", "\0")):
        assert await archive.message(tenant, message) is None
