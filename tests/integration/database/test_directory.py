"""The directory against a real PostgreSQL."""

import asyncio
from dataclasses import replace

import pytest

from domain.cascade.rule import CascadeRule, DeliveryWindow, Step
from domain.errors import PermanentError, TransientError
from domain.tenant import Tenant
from ingress.checker import PROVED_TTL_MS
from ingress.outbox import OutboxRelay
from ingress.seed import seed
from ingress.seed_values import Planted, Seed, SeedKey, SeedLogin
from tests.integration.database.conftest import Rig

pytestmark = pytest.mark.integration
ACME, OTHER = Tenant("acme", "Acme", "business", "active"), Tenant("other", "Other", "starter", "active")
RULE = CascadeRule("r1", "acme", "First", (Step("sms", window=DeliveryWindow(480, 1200)), Step("email")))


async def plant(rig: Rig, *logins: SeedLogin) -> Planted:
    wanted = Seed("test", (ACME, OTHER), (SeedKey("acme", "main"),), logins)
    return await seed(rig.pool, rig.avro, rig.relay, rig.checker, wanted)


async def test_a_key_just_made_resolves_and_was_published_without_its_secret(rig: Rig) -> None:
    await plant(rig)
    made = await rig.directory.create_key("acme", "ci", ("send",), test=True, expires_at_ms=7)
    assert made.secret.startswith(f"hk_test_{made.key.key_id}_")
    assert await rig.directory.resolve(made.secret) == made.key
    assert rig.broker.values(rig.avro)[-1] == made.key
    assert not any(made.secret.encode() in (value or b"") for _, value in rig.broker.records)


async def test_a_wrong_secret_for_a_real_key_is_nobodys(rig: Rig) -> None:
    secret = (await plant(rig)).key_secrets["acme", "main"]
    wrong = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    assert await rig.directory.resolve(wrong) is None
    assert await rig.directory.resolve("hk_live_nosuchkey0000000_" + "x" * 32) is None
    assert await rig.directory.resolve("rubbish") is None
    assert await rig.directory.resolve(secret) is not None


async def test_a_revoked_key_resolves_as_revoked_from_the_next_request_on(rig: Rig) -> None:
    made = (await plant(rig), await rig.directory.create_key("acme", "x", ("send",), test=False, expires_at_ms=0))[1]
    assert (await rig.directory.resolve(made.secret)) == made.key
    assert await rig.directory.revoke_key("acme", made.key.key_id)
    resolved = await rig.directory.resolve(made.secret)
    assert resolved == replace(made.key, revoked=True)
    assert await rig.directory.revoke_key("acme", made.key.key_id)
    assert not await rig.directory.revoke_key("other", made.key.key_id)
    assert not await rig.directory.revoke_key("acme", "no\0such")


async def test_the_configuration_that_was_read_decides_what_a_key_allows(rig: Rig) -> None:
    made = (await plant(rig), await rig.directory.create_key("acme", "x", ("send",), test=False, expires_at_ms=0))[1]
    newer = replace(made.key, scopes=("read",))
    rig.config.apply(f"key/{made.key.key_id}", newer, 9)
    assert await rig.directory.resolve(made.secret) == newer


async def test_keys_come_newest_first_and_of_one_tenant(rig: Rig) -> None:
    await plant(rig)
    made = [await rig.directory.create_key("acme", f"k{n}", ("send",), test=False, expires_at_ms=0) for n in range(3)]
    assert [k.label for k in await rig.directory.keys("acme")] == ["k2", "k1", "k0", "main"]
    assert (await rig.directory.keys("acme"))[0] == made[2].key
    assert await rig.directory.keys("other") == ()


async def test_a_key_for_a_tenant_that_there_is_not_is_refused(rig: Rig) -> None:
    with pytest.raises(PermanentError) as refused:
        await rig.directory.create_key("nobody", "x", ("send",), test=False, expires_at_ms=0)
    assert refused.value.code == "not_found"


async def test_a_rule_is_kept_exactly_replaced_and_published(rig: Rig) -> None:
    await plant(rig)
    await rig.directory.save_rule(RULE)
    newer = replace(RULE, name="A second", version=2)
    assert await rig.directory.rule("acme", "r1") == RULE
    await rig.directory.save_rule(newer)
    await rig.directory.save_rule(replace(RULE, rule_id="r2", name="B"))
    assert [r.name for r in await rig.directory.rules("acme")] == ["A second", "B"]
    assert await rig.directory.rule("other", "r1") is None
    assert rig.broker.values(rig.avro)[-3:-1] == [RULE, newer]
    with pytest.raises(PermanentError):
        await rig.directory.save_rule(replace(RULE, tenant_id="nobody"))


async def test_a_change_that_cannot_be_published_is_told_and_published_later(rig: Rig) -> None:
    await plant(rig)
    rig.broker.failures = 1
    with pytest.raises(TransientError):
        await rig.directory.save_rule(RULE)
    assert RULE not in rig.broker.values(rig.avro)
    await rig.relay.flush()
    assert rig.broker.values(rig.avro)[-1] == RULE


async def test_concurrent_changes_are_published_in_the_order_in_which_they_were_committed(rig: Rig) -> None:
    await plant(rig)
    other = OutboxRelay(rig.pool, rig.broker.publish)
    directories = (rig.directory, replace(rig.directory, relay=other))
    await asyncio.gather(*(directories[n % 2].save_rule(replace(RULE, version=n)) for n in range(20)))
    published = [v for v in rig.broker.values(rig.avro) if isinstance(v, CascadeRule)]
    assert len(published) == 20
    assert published[-1] == await rig.directory.rule("acme", "r1")


async def test_smpp_and_smtp_logins_lead_to_their_key(rig: Rig) -> None:
    planted = await plant(rig, SeedLogin("smpp", "acme", "acme1", "main"), SeedLogin("smtp", "acme", "acme", "main"))
    key = planted.keys["acme", "main"]
    smpp, smtp = planted.login_secrets["smpp", "acme1"], planted.login_secrets["smtp", "acme"]
    assert len(smpp) == 8
    assert await rig.directory.resolve_smpp("acme1", smpp) == key
    assert await rig.directory.resolve_smtp("acme", smtp) == key
    assert await rig.directory.resolve_smpp("acme1", smtp) is None
    assert await rig.directory.resolve_smtp("acme1", smpp) is None
    assert await rig.directory.resolve_smpp("a\0b", smpp) is None


async def test_a_proved_secret_needs_no_database_until_it_is_forgotten(rig: Rig) -> None:
    planted = await plant(rig)
    secret, key = planted.key_secrets["acme", "main"], planted.keys["acme", "main"]
    rig.config.apply(f"key/{key.key_id}", key, 1)
    await rig.directory.resolve(secret)
    await rig.pool.execute("update api_keys set secret_hash = $1", await rig.checker.hash("another"))
    assert await rig.directory.resolve(secret) == key
    rig.clock.now += PROVED_TTL_MS
    assert await rig.directory.resolve(secret) is None
