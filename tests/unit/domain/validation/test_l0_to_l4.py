"""Layers 0 to 4: idempotency, authentication, tenant, rate, balance."""

import pytest

from domain.billing.money import Account
from domain.tenant import Overage, Scope
from domain.validation import l0_idempotency, l1_authentication, l2_tenant, l3_rate, l4_balance
from domain.validation.facts import Facts
from tests.unit.domain.given import NOW, facts, key, plan, planned, submission, tenant


def test_a_new_key_and_a_repeated_request_pass() -> None:
    assert l0_idempotency.check(submission(idempotency_key="a" * 255), facts()) is None
    assert l0_idempotency.check(submission(), facts(stored_fingerprint=b"f" * 32)) is None


def test_a_key_with_another_body_is_refused() -> None:
    reject = l0_idempotency.check(submission(), facts(stored_fingerprint=b"g" * 32))
    assert reject is not None
    assert (reject.layer, reject.code) == (0, "idempotency_key_reused")


@pytest.mark.parametrize("bad", ["a" * 256, "a\x00b", "a\nb", "a\x85"])
def test_a_key_that_is_too_long_or_holds_control_characters_is_refused(bad: str) -> None:
    reject = l0_idempotency.check(submission(idempotency_key=bad), facts())
    assert reject is not None
    assert (reject.code, reject.errors[0].path) == ("validation_failed", "idempotency_key")


def test_a_key_in_force_with_its_scope_passes() -> None:
    assert l1_authentication.check(submission(), facts(key=key(expires_at_ms=NOW + 1))) is None


@pytest.mark.parametrize(
    "known",
    [
        facts(key=None),
        facts(key=key(revoked=True)),
        facts(key=key(expires_at_ms=NOW)),
        facts(key=key(tenant_id="t2")),
    ],
)
def test_a_key_that_is_missing_revoked_expired_or_anothers_is_unauthorized(known: Facts) -> None:
    reject = l1_authentication.check(submission(), known)
    assert reject is not None
    assert (reject.layer, reject.code) == (1, "unauthorized")


@pytest.mark.parametrize(
    ("kind", "scopes", "passes"),
    [
        ("send", ("send",), True),
        ("send", ("read", "admin"), False),
        ("validate", ("read",), True),
        ("validate", ("send",), True),
        ("validate", ("admin",), False),
        ("send", (), False),
    ],
)
def test_the_scope_decides_what_a_key_may_do(kind: str, scopes: tuple[Scope, ...], passes: bool) -> None:
    reject = l1_authentication.check(submission(kind=kind), facts(key=key(scopes=scopes)))
    assert (reject is None) == passes
    assert reject is None or reject.code == "forbidden"


def test_only_an_active_tenant_passes() -> None:
    assert l2_tenant.check(submission(), facts()) is None
    unknown = l2_tenant.check(submission(), facts(tenant=None))
    starting = l2_tenant.check(submission(), facts(tenant=tenant(status="provisioning")))
    suspended = l2_tenant.check(submission(), facts(tenant=tenant(status="suspended", status_reason="unpaid")))
    gone = l2_tenant.check(submission(), facts(tenant=tenant(status="deactivated")))

    assert unknown is not None
    assert unknown.code == "unauthorized"
    assert starting is not None
    assert (starting.code, starting.retry_after_ms > 0) == ("tenant_provisioning", True)
    assert suspended is not None
    assert (suspended.code, suspended.message) == ("tenant_suspended", "Account suspended: unpaid")
    assert gone is not None
    assert gone.code == "tenant_deactivated"


def test_the_tenants_rate_limit_answers_as_the_document_says() -> None:
    assert l3_rate.check(submission(), facts(used=99)) is None
    reject = l3_rate.check(submission(), facts(used=100, window_resets_ms=NOW + 700))
    assert reject is not None
    assert reject.code == "rate_limit_exceeded"
    assert reject.message == "Rate limit exceeded for tenant tier Starter (100 msg/sec)"
    assert (reject.limit, reject.retry_after_ms, reject.reset_at_ms) == (100, 700, NOW + 700)


def test_a_keys_own_limit_is_judged_by_its_own_count() -> None:
    limited = key(rate_per_s=5)
    assert l3_rate.check(submission(), facts(key=limited, used=50, key_used=4)) is None
    reject = l3_rate.check(submission(), facts(key=limited, used=50, key_used=5))
    assert reject is not None
    assert (reject.limit, reject.retry_after_ms) == (5, 1)


@pytest.mark.parametrize(
    ("overage", "available", "passes"),
    [
        ("block", 50_000, True),
        ("block", 49_999, False),
        ("overdraft", 20_000, True),
        ("overdraft", 19_999, False),
        ("alert", -1_000_000, True),
    ],
)
def test_the_balance_must_cover_the_dearest_step(overage: Overage, available: int, passes: bool) -> None:
    known = facts(tenant=tenant(overage=overage, overdraft_micros=30_000), account=Account("t1", available))
    reject = l4_balance.check(submission(), known)
    assert (reject is None) == passes
    if reject is not None:
        assert (reject.code, reject.balance_micros, reject.required_micros) == (
            "insufficient_balance", available, 50_000,
        )  # fmt: skip


def test_no_account_is_an_empty_one_and_what_is_free_passes() -> None:
    assert l4_balance.check(submission(), facts(account=None)) is not None
    assert l4_balance.check(submission(), facts(account=None, plan=plan(planned(price=0)))) is None
    assert l4_balance.check(submission(), facts(account=None, plan=plan(planned(skip="no_route")))) is None


def test_what_could_not_be_read_passes_to_layer_five() -> None:
    assert l4_balance.check(submission(request=None), facts(account=None)) is None
