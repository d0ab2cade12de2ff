"""What every directory does: the one in memory that other tests trust, and the one in PostgreSQL."""

from dataclasses import replace

import pytest

from domain.cascade.rule import CascadeRule, Step
from domain.ports import Directory
from domain.tenant import Tenant
from ingress.seed import seed
from ingress.seed_values import Seed
from tests.fakes.fake_directory import FakeDirectory
from tests.integration.database.conftest import Rig, avro, dsn, migrated, pool, rig

__all__ = ["avro", "dsn", "migrated", "pool", "rig"]  # fixtures that the one below asks for by name

RULE = CascadeRule("r1", "acme", "Zulu", (Step("sms"), Step("email")))


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def place(request: pytest.FixtureRequest) -> Rig | None:
    return request.getfixturevalue("rig") if request.param == "postgres" else None


@pytest.fixture
async def directory(place: Rig | None) -> Directory:
    if place is None:
        return FakeDirectory()
    tenants = tuple(Tenant(name, name, "starter", "active") for name in ("acme", "other"))
    await seed(place.pool, place.avro, place.relay, place.checker, Seed("contract", tenants))
    return place.directory


async def test_a_new_key_resolves_by_its_secret_and_nothing_else_does(directory: Directory) -> None:
    live = await directory.create_key("acme", "a", ("send",), test=False, expires_at_ms=0)
    test = await directory.create_key("acme", "b", ("read", "admin"), test=True, expires_at_ms=9)
    assert live.secret.startswith("hk_live_")
    assert test.secret.startswith("hk_test_")
    assert await directory.resolve(live.secret) == live.key
    assert await directory.resolve(test.secret) == test.key
    assert (test.key.tenant_id, test.key.label, test.key.scopes) == ("acme", "b", ("read", "admin"))
    assert (test.key.test, test.key.expires_at_ms, test.key.revoked) == (True, 9, False)
    for wrong in ("", "hk_live_", live.secret + "x", "hk_live_zzzzzzzzzzzzzzzz_" + "x" * 32, "\ud800", "\0"):
        assert await directory.resolve(wrong) is None


async def test_a_key_is_revoked_by_its_tenant_alone_and_as_often_as_one_likes(directory: Directory) -> None:
    made = await directory.create_key("acme", "a", ("send",), test=False, expires_at_ms=0)
    assert not await directory.revoke_key("other", made.key.key_id)
    assert await directory.resolve(made.secret) == made.key
    assert await directory.revoke_key("acme", made.key.key_id)
    assert await directory.revoke_key("acme", made.key.key_id)
    assert await directory.resolve(made.secret) == replace(made.key, revoked=True)
    assert not await directory.revoke_key("acme", "no-such-key")


async def test_keys_are_the_tenants_own_newest_first(directory: Directory) -> None:
    made = [await directory.create_key("acme", n, ("send",), test=False, expires_at_ms=0) for n in "abc"]
    await directory.create_key("other", "x", ("send",), test=False, expires_at_ms=0)
    assert await directory.keys("acme") == tuple(m.key for m in reversed(made))
    assert await directory.keys("nobody") == ()


async def test_rules_are_the_tenants_own_by_name_and_the_last_save_stands(directory: Directory) -> None:
    await directory.save_rule(RULE)
    await directory.save_rule(replace(RULE, rule_id="r2", name="Alpha"))
    await directory.save_rule(replace(RULE, tenant_id="other", name="Theirs"))
    newer = replace(RULE, version=2, steps=(Step("email"),))
    await directory.save_rule(newer)
    assert await directory.rule("acme", "r1") == newer
    assert await directory.rule("acme", "nope") is None
    assert [r.name for r in await directory.rules("acme")] == ["Alpha", "Zulu"]
