"""Rules, keys, the profile, and which scope each of them needs."""

import pytest

from domain.billing.money import Account
from domain.tenant import ApiKey, Tenant
from ingress.http.account import MAX_KEYS
from ingress.http.account_shapes import KeyList, NewKeyShape, Profile, Ready, RuleList, RuleShape
from ingress.http.rules import MAX_RULES
from tests.unit.ingress.http.gateway import ADMIN, FULL, MESSAGE_ID, READER, SENDER, Gateway

RULE = {
    "name": "Transactional",
    "steps": [
        {
            "channel": "email",
            "timeout": "30s",
            "max_retries": 2,
            "retry_backoff": {"type": "linear", "base": "500ms", "max": "10s", "increment": "2s"},
            "delivery_window": {
                "start": "09:00",
                "end": "21:00",
                "timezone": "Europe/Copenhagen",
                "days": ["tue", "mon"],
            },
        },
        {"channel": "sms"},
    ],
    "max_cascade_duration": "2h",
    "confirmation_level": "read",
}


async def test_a_rule_is_created_read_listed_and_replaced() -> None:
    async with Gateway().open() as gateway:
        made = await gateway.ask("POST", "/v1/cascade-rules", ADMIN, json=RULE)
        rule = RuleShape.model_validate(await made.json())
        path = f"/v1/cascade-rules/{rule.rule_id}"
        assert made.headers["Location"].endswith(path)
        assert await (await gateway.ask("GET", path, READER)).json() == await made.json()
        renamed = await gateway.ask("PUT", path, ADMIN, json={**RULE, "name": "Other"})
        listed = RuleList.model_validate(await (await gateway.ask("GET", "/v1/cascade-rules", READER)).json())
        foreign = await gateway.ask("GET", path, "hk_live_other")
        absent = await gateway.ask("PUT", "/v1/cascade-rules/none", ADMIN, json=RULE)
    assert made.status == 201
    first, second = rule.steps
    assert (first.timeout, first.retry_backoff.increment, rule.max_cascade_duration) == ("30s", "2s", "2h")
    assert first.delivery_window is not None
    assert (first.delivery_window.start, first.delivery_window.days) == ("09:00", ["mon", "tue"])
    assert (second.timeout, second.delivery_window) == ("1m", None)
    assert [(one.name, one.version) for one in listed.cascade_rules] == [("Other", 2)]
    assert (renamed.status, foreign.status, absent.status) == (200, 404, 404)


@pytest.mark.parametrize(
    ("step", "path"),
    [
        ({"channel": "fax"}, "steps.0.channel"),
        ({"channel": "sms", "timeout": 30}, "steps.0.timeout"),
        ({"channel": "sms", "timeout": "100h"}, "steps.0.timeout"),
        ({"channel": "sms", "max_retries": 11}, "steps.0.max_retries"),
        ({"channel": "sms", "max_retries": True}, "steps.0.max_retries"),
        ({"channel": "sms", "retry_backoff": {"type": "fixed", "base": "2m", "max": "1m"}}, "steps.0.retry_backoff"),
        ({"channel": "sms", "delivery_window": {"start": "9:00", "end": "21:00"}}, "steps.0.delivery_window.start"),
        ({"channel": "sms", "delivery_window": {"start": "09:00", "end": "09:00"}}, "steps.0.delivery_window"),
        (
            {"channel": "sms", "delivery_window": {"start": "09:00", "end": "21:00", "timezone": "Mars/Olympus"}},
            "steps.0.delivery_window.timezone",
        ),
        (
            {"channel": "sms", "delivery_window": {"start": "09:00", "end": "21:00", "days": []}},
            "steps.0.delivery_window.days",
        ),
    ],
)
async def test_a_wrong_rule_is_422_with_the_place(step: dict[str, object], path: str) -> None:
    async with Gateway().open() as gateway:
        response = await gateway.ask("POST", "/v1/cascade-rules", ADMIN, json={"name": "x", "steps": [step]})
        problem = await response.json()
        assert gateway.directory.saved == {}
    assert (response.status, [error["path"] for error in problem["errors"]]) == (422, [path])


async def test_a_tenant_has_only_so_many_rules_and_keys() -> None:
    async with Gateway().open() as gateway:
        for _ in range(MAX_RULES):
            assert (await gateway.ask("POST", "/v1/cascade-rules", ADMIN, json=RULE)).status == 201
        rules = await gateway.ask("POST", "/v1/cascade-rules", ADMIN, json=RULE)
        for number in range(MAX_KEYS):
            gateway.directory.secrets[f"s{number}"] = ApiKey(f"k{number}", "t1", "x", ("read",))
        body = {"label": "x", "permissions": ["read"]}
        keys = await gateway.ask("POST", "/v1/tenants/api-keys", ADMIN, json=body)
    assert (rules.status, keys.status) == (409, 409)


async def test_a_key_is_made_shown_once_listed_without_its_secret_and_revoked() -> None:
    async with Gateway().open() as gateway:
        body = {
            "label": "ci",
            "scopes": ["send", "send", "read"],
            "test": True,
            "expires_at": "2027-01-01T00:00:00+01:00",
        }
        made = await gateway.ask("POST", "/v1/tenants/api-keys", ADMIN, json=body)
        key = NewKeyShape.model_validate(await made.json())
        assert (await gateway.ask("GET", "/v1/cascade-rules", key.secret)).status == 200
        listed = await gateway.ask("GET", "/v1/tenants/api-keys", READER)
        newest = KeyList.model_validate(await listed.json()).api_keys[0]
        path = f"/v1/tenants/api-keys/{key.key_id}"
        foreign = await gateway.ask("DELETE", path, "hk_live_other")
        gone = [await gateway.ask("DELETE", path, ADMIN) for _ in range(2)]
        after = await gateway.ask("GET", "/v1/cascade-rules", key.secret)
    assert (made.status, made.headers["Cache-Control"]) == (201, "no-store")
    assert (key.permissions, key.test, key.expires_at) == (["send", "read"], True, "2026-12-31T23:00:00.000Z")
    assert newest.key_id == key.key_id
    assert key.secret not in await listed.text()
    assert (foreign.status, [r.status for r in gone], after.status) == (404, [204, 204], 401)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"permissions": ["read"]}, "label"),
        ({"label": "x"}, "permissions"),
        ({"label": "x", "permissions": ["root"]}, "permissions.0"),
        ({"label": "x", "permissions": ["read"], "expires_at": "2026-01-01"}, "expires_at"),
        ({"label": "x", "permissions": ["read"], "expires_at": "2026-01-01T00:00:00Z"}, "expires_at"),
        ({"label": "a\nb", "permissions": ["read"]}, "label"),
    ],
)
async def test_a_wrong_key_is_422_with_the_place(body: dict[str, object], path: str) -> None:
    async with Gateway().open() as gateway:
        response = await gateway.ask("POST", "/v1/tenants/api-keys", ADMIN, json=body)
        assert [error["path"] for error in (await response.json())["errors"]] == [path]
    assert response.status == 422


async def test_a_test_key_makes_no_live_key() -> None:
    async with Gateway().open() as gateway:
        body = {"label": "x", "permissions": ["admin"]}
        live = await gateway.ask("POST", "/v1/tenants/api-keys", "hk_test_admin", json=body)
        test = await gateway.ask("POST", "/v1/tenants/api-keys", "hk_test_admin", json={**body, "test": True})
    assert (live.status, test.status) == (403, 201)


async def test_the_profile_has_limits_and_money() -> None:
    gateway = Gateway()
    gateway.desk.money = Account("t1", 70, 20, 10, 100)
    async with gateway.open():
        response = await gateway.ask("GET", "/v1/tenants/me", READER)
        profile = Profile.model_validate(await response.json(), strict=True)
        unread = await gateway.ask("GET", "/v1/tenants/me", "hk_live_other")
    assert (profile.tier, profile.status, profile.limits.rate_per_s) == ("starter", "active", 100)
    assert (profile.balance.available_micros, profile.balance.granted_micros) == (70, 100)
    assert profile.key.key_id == "reader"
    assert (unread.status, (await unread.json())["code"]) == (503, "tenant_provisioning")


READS = ("/v1/cascade-rules", "/v1/tenants/me", "/v1/tenants/api-keys")


@pytest.mark.parametrize("path", READS)
async def test_reading_needs_read_which_admin_implies_and_send_does_not(path: str) -> None:
    async with Gateway().open() as gateway:
        statuses = [(await gateway.ask("GET", path, key)).status for key in (FULL, READER, ADMIN, SENDER)]
        dead = [(await gateway.ask("GET", path, key)).status for key in ("hk_live_revoked", "hk_live_expired")]
    assert statuses == [200, 200, 200, 403]
    assert dead == [401, 401]


async def test_writing_needs_admin_and_cancelling_needs_send() -> None:
    async with Gateway().open() as gateway:
        for method, path in (
            ("POST", "/v1/cascade-rules"),
            ("PUT", "/v1/cascade-rules/r"),
            ("POST", "/v1/tenants/api-keys"),
            ("DELETE", "/v1/tenants/api-keys/k"),
        ):
            for key in (READER, SENDER):
                assert (await gateway.ask(method, path, key)).status == 403
        for key in (READER, ADMIN):
            assert (await gateway.ask("POST", f"/v1/messages/{MESSAGE_ID}/cancel", key)).status == 403


async def test_what_the_configuration_says_of_a_key_counts_more_than_what_was_resolved() -> None:
    gateway = Gateway()
    async with gateway.open():
        gateway.config.apply("key/reader", ApiKey("reader", "t1", "reader", ("send",)), 8)
        fewer = await gateway.ask("GET", "/v1/cascade-rules", READER)
        gateway.config.apply("key/reader", ApiKey("reader", "t1", "reader", ("read",), revoked=True), 9)
        revoked = await gateway.ask("GET", "/v1/cascade-rules", READER)
        gateway.config.apply("tenant/t1", Tenant("t1", "Acme", "starter", "deactivated"), 10)
        closed = await gateway.ask("GET", "/v1/cascade-rules", FULL)
    assert (fewer.status, revoked.status, closed.status) == (403, 401, 410)


async def test_health_needs_no_key_and_readiness_names_what_is_missing() -> None:
    async def two_missing() -> list[str]:
        return ["kafka", "postgres"]

    gateway = Gateway()
    async with gateway.open():
        alive = await gateway.ask("GET", "/healthz", None)
        ready = await gateway.ask("GET", "/readyz", None)
    missing = Gateway(ready=two_missing)
    async with missing.open():
        response = await missing.ask("GET", "/readyz", None)
        answer = Ready.model_validate(await response.json())
    assert (alive.status, ready.status, response.status) == (200, 200, 503)
    assert answer.not_ready == ["kafka", "postgres"]
