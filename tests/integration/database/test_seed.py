"""Planting the values of a file, again and again."""

from dataclasses import replace

import pytest

from domain.cascade.rule import CascadeRule, Step
from domain.errors import ConfigError
from domain.tenant import Route, Tenant
from ingress.seed import seed
from ingress.seed_values import Planted, Seed, SeedEndpoint, SeedKey, SeedLogin
from tests.integration.database.conftest import Rig

pytestmark = pytest.mark.integration
ROUTE = Route("r-dk", "sms", "+45", "telia", 30_000, 20_000)
SEED = Seed(
    "hermes.toml",
    (Tenant("acme", "Acme", "business", "active"),),
    (SeedKey("acme", "main"), SeedKey("acme", "test", ("send",), test=True)),
    (SeedLogin("smpp", "acme", "acme", "main"), SeedLogin("smtp", "acme", "acme", "main")),
    (SeedEndpoint("acme", "default", "https://example.com/hook"),),
    (ROUTE, replace(ROUTE, route_id="r-se", prefix="+46")),
    (CascadeRule("r", "acme", "R", (Step("sms"),)),),
)


async def plant(rig: Rig, wanted: Seed) -> Planted:
    return await seed(rig.pool, rig.avro, rig.relay, rig.checker, wanted)


def with_secrets(wanted: Seed, planted: Planted) -> Seed:
    return replace(
        wanted,
        keys=tuple(replace(k, secret=planted.key_secrets[k.tenant_id, k.name]) for k in wanted.keys),
        logins=tuple(replace(w, secret=planted.login_secrets[w.protocol, w.user]) for w in wanted.logins),
    )


async def test_planting_again_with_the_kept_secrets_changes_and_publishes_nothing(rig: Rig) -> None:
    first = await plant(rig, SEED)
    count = len(rig.broker.records)
    assert count == 1 + 2 + 2 + 1
    assert await plant(rig, with_secrets(SEED, first)) == first
    assert len(rig.broker.records) == count


async def test_all_planted_secrets_work_and_a_callback_marks_its_tenant(rig: Rig) -> None:
    planted = await plant(rig, SEED)
    for place, secret in planted.key_secrets.items():
        assert await rig.directory.resolve(secret) == planted.keys[place]
    assert await rig.directory.resolve_smpp("acme", planted.login_secrets["smpp", "acme"])
    tenant = rig.broker.values(rig.avro)[0]
    assert isinstance(tenant, Tenant)
    assert tenant.has_webhook


async def test_without_the_kept_secrets_ids_stay_and_new_secrets_replace_the_old(rig: Rig) -> None:
    first, second = await plant(rig, SEED), await plant(rig, SEED)
    assert second.keys == first.keys
    assert second.endpoint_secrets == first.endpoint_secrets
    assert second.key_secrets != first.key_secrets
    assert await rig.directory.resolve(first.key_secrets["acme", "main"]) is None
    assert await rig.directory.resolve(second.key_secrets["acme", "main"]) == first.keys["acme", "main"]


async def test_secrets_kept_from_a_lost_database_keep_their_ids(rig: Rig) -> None:
    secret = "hk_live_abcdefgh12345678_" + "R" * 32
    planted = await plant(rig, replace(SEED, keys=(SeedKey("acme", "main", secret=secret),)))
    assert planted.key_secrets["acme", "main"] == secret
    assert planted.keys["acme", "main"].key_id == "abcdefgh12345678"


async def test_a_route_that_its_file_no_longer_names_is_removed_and_others_stay(rig: Rig) -> None:
    await plant(rig, SEED)
    await plant(rig, Seed("sandbox", routes=(replace(ROUTE, route_id="r-test", test=True),)))
    await plant(rig, replace(SEED, tenants=(), keys=(), logins=(), endpoints=(), rules=(), routes=(ROUTE,)))
    assert rig.broker.records[-1] == ("route/r-se", None)
    rows = await rig.pool.fetch("select route_id from routes order by 1")
    assert [row["route_id"] for row in rows] == ["r-dk", "r-test"]


@pytest.mark.parametrize(
    "wrong",
    [
        Seed("f", keys=(SeedKey("nobody", "k"),)),
        replace(SEED, logins=(SeedLogin("smpp", "acme", "x", "nokey"),)),
        replace(SEED, endpoints=(SeedEndpoint("acme", "default", "https://example.com", "not-a-secret"),)),
        Seed(
            "f",
            (Tenant("acme", "A", "starter", "active"), Tenant("b", "B", "starter", "active")),
            (SeedKey("acme", "k"), SeedKey("b", "k")),
            (SeedLogin("smtp", "acme", "same", "k"), SeedLogin("smtp", "b", "same", "k")),
        ),
    ],
)
async def test_a_wrong_file_plants_nothing(rig: Rig, wrong: Seed) -> None:
    with pytest.raises(ConfigError):
        await plant(rig, wrong)
    assert await rig.pool.fetchval("select count(*) from config_outbox") == 0
    assert await rig.pool.fetchval("select count(*) from tenants") == 0
