"""The limit in front of the pipeline: generous beside the pipeline's own, cheap for the tenant that exceeds it."""

import json
from dataclasses import replace

from domain.tenant import Tenant
from ingress.gate import Gate
from ingress.http.rates import BURST_S, Rates
from tests.fakes.fake_desk import accept
from tests.unit.ingress.http.gateway import NOW_MS, Gateway, a_body

TENANT = Tenant("t1", "Acme", "starter", "active", rate_per_s=10)
WHOLE = 10 * BURST_S


class Clock:
    """Milliseconds that move when told to."""

    now = 0

    def __call__(self) -> int:
        return self.now


def test_a_tenant_at_ten_times_its_rate_gets_little_more_than_its_rate_and_another_all_of_its_own() -> None:
    clock = Clock()
    rates = Rates(clock)
    other = Tenant("t2", "Other", "starter", "active", rate_per_s=10)
    rates.take(TENANT, WHOLE)
    passed = quiet = 0
    for clock.now in range(0, 10_000, 10):
        passed += rates.take(TENANT, 1)
        quiet += rates.take(other, 1) if clock.now % 100 == 0 else 0
    assert 100 <= passed <= 110
    assert quiet == 100


def test_whatever_the_pipelines_window_takes_is_let_through() -> None:
    clock = Clock()
    rates = Rates(clock)
    for clock.now in (
        950,
        1_900,
        2_850,
        3_800,
        4_800,
        5_800,
    ):  # a whole second's worth as often as the window allows it
        assert rates.take(TENANT, 10) == 10


def test_a_new_rate_holds_at_once_and_nothing_is_held_back_where_nothing_is_known() -> None:
    rates = Rates(Clock())
    assert rates.take(TENANT, 1_000) == WHOLE
    assert rates.take(Tenant("t1", "Acme", "business", "active", rate_per_s=1_000), 1_000) == 1_000
    assert rates.take(None, 5) == 5
    assert rates.take(Tenant("t3", "None", "starter", "active", rate_per_s=0), 5) == 5


def test_repeated_answers_are_given_back() -> None:
    rates = Rates(Clock())
    rates.take(TENANT, WHOLE)
    rates.give_back(TENANT, 3)
    rates.give_back(None, 3)
    assert rates.take(TENANT, 9) == 3


async def test_beyond_the_rate_the_answer_is_429_and_nothing_reaches_the_desk() -> None:
    gateway = Gateway()
    gateway.config.apply("tenant/t1", TENANT, 7)
    gateway.rates.take(TENANT, WHOLE)
    async with gateway.open():
        one = await gateway.send(a_body())
        batch = await gateway.ask("POST", "/v1/messages/batch", json={"messages": [a_body()] * 3})
        problem = json.loads(await one.text())
    assert [one.status, batch.status] == [429, 429]
    assert gateway.desk.submitted == []
    assert (one.headers["Retry-After"], one.headers["RateLimit-Policy"]) == ("1", '"tenant";q=10;w=1')
    assert problem["message"] == "Rate limit exceeded for tenant tier Starter (10 msg/sec)"
    assert (problem["limit"], problem["remaining"], problem["retry_after"]) == (10, 0, 1)


async def test_a_batch_is_cut_where_the_rate_ends() -> None:
    gateway = Gateway()
    gateway.config.apply("tenant/t1", TENANT, 7)
    async with gateway.open():
        response = await gateway.ask("POST", "/v1/messages/batch", json={"messages": [a_body()] * (WHOLE + 2)})
        report = await response.json()
    assert (response.status, report["accepted"], report["rejected"]) == (200, WHOLE, 2)
    assert [r["error"]["code"] for r in report["results"][WHOLE:]] == ["rate_limit_exceeded"] * 2
    assert [r["index"] for r in report["results"]] == list(range(WHOLE + 2))


async def test_a_repeated_answer_costs_the_tenant_nothing() -> None:
    gateway = Gateway()
    gateway.config.apply("tenant/t1", TENANT, 7)
    gateway.desk.decide = lambda s: replace(accept(s), replayed=True)
    async with gateway.open():
        statuses = {(await gateway.send(a_body())).status for _ in range(WHOLE + 5)}
    assert statuses == {202}


async def test_a_shut_gate_answers_503_before_the_key_and_the_body_are_looked_at() -> None:
    gateway = Gateway(gate=Gate(lambda: NOW_MS, burst=1))
    gateway.gate.enter(1)
    async with gateway.open():
        response = await gateway.ask("POST", "/v1/messages/send", key=None, data=b"no JSON")
        other = await gateway.ask("GET", "/v1/tenants/me")
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert (await response.json())["code"] == "overloaded"
    assert other.status == 200
