"""Batch: one answer for each item, and no item loses another."""

from dataclasses import replace

from domain.cascade.rule import CascadeRule, Step
from domain.message import Submission
from domain.tenant import Tenant
from domain.verdict import Reject, Verdict
from ingress.http.shapes import BatchReport
from tests.fakes.fake_desk import accept
from tests.unit.ingress.http.gateway import Gateway, a_body


def as_layer_5(submission: Submission) -> Verdict:
    """Refuse what has errors, as the pipeline does."""
    if not submission.errors:
        return accept(submission)
    return replace(accept(submission), reject=Reject(5, "validation_failed", "no", submission.errors))


async def test_one_bad_item_does_not_lose_the_rest() -> None:
    gateway = Gateway()
    gateway.desk.decide = as_layer_5
    async with gateway.open():
        messages = [a_body(), {"nothing": "right"}, 17, a_body(), {**a_body(), "idempotency_key": 5}]
        response = await gateway.ask("POST", "/v1/messages/batch", json={"messages": messages})
        report = BatchReport.model_validate(await response.json())
    assert response.status == 200
    assert (report.accepted, report.rejected) == (2, 3)
    assert [result.index for result in report.results] == [0, 1, 2, 3, 4]
    assert [result.status for result in report.results] == ["accepted", "rejected", "rejected", "accepted", "rejected"]
    wrong = report.results[1].error
    assert wrong is not None
    assert wrong.status == 422
    assert {e.path for e in wrong.errors} == {"to", "body", "routing", "nothing"}


async def test_all_items_refused_the_same_way_are_still_told_one_by_one() -> None:
    gateway = Gateway()
    gateway.desk.decide = lambda s: replace(accept(s), reject=Reject(1, "unauthorized", "revoked"))
    async with gateway.open():
        response = await gateway.ask("POST", "/v1/messages/batch", json={"messages": [a_body(), a_body()]})
        report = await response.json()
    assert response.status == 200
    assert [result["error"]["status"] for result in report["results"]] == [401, 401]


async def test_the_headers_key_is_made_one_for_each_item_and_an_items_own_wins() -> None:
    async with Gateway().open() as gateway:
        messages = [a_body(), a_body(idempotency_key="mine"), a_body()]
        headers = {"Idempotency-Key": "x" * 255}
        await gateway.ask("POST", "/v1/messages/batch", json={"messages": messages}, headers=headers)
        assert [s.idempotency_key for s in gateway.desk.submitted] == ["x" * 255 + "/0", "mine", "x" * 255 + "/2"]
        assert not any(s.errors for s in gateway.desk.submitted)


async def test_the_same_key_twice_in_a_batch_runs_once() -> None:
    async with Gateway().open() as gateway:
        messages = [a_body(idempotency_key="k"), a_body(idempotency_key="k")]
        response = await gateway.ask("POST", "/v1/messages/batch", json={"messages": messages})
        results = (await response.json())["results"]
        assert len(gateway.desk.submitted) == 1
    assert results[0]["status"] == "accepted"
    assert results[1]["error"]["code"] == "idempotency_in_progress"


async def test_a_thousand_items_pass_and_one_more_does_not() -> None:
    gateway = Gateway()
    gateway.config.apply("tenant/t1", Tenant("t1", "Acme", "business", "active", rate_per_s=1_000), 7)
    async with gateway.open():
        most = await gateway.ask("POST", "/v1/messages/batch", json={"messages": [a_body()] * 1_000})
        more = await gateway.ask("POST", "/v1/messages/batch", json={"messages": [a_body()] * 1_001})
        none = await gateway.ask("POST", "/v1/messages/batch", json={"messages": []})
        shape = await gateway.ask("POST", "/v1/messages/batch", json=[a_body()])
        assert len(gateway.desk.submitted) == 1_000
        assert (await most.json())["accepted"] == 1_000
        assert (await more.json())["errors"][0]["path"] == "messages"
    assert [r.status for r in (most, more, none, shape)] == [200, 422, 422, 422]


async def test_many_unknown_rules_cost_one_question() -> None:
    gateway = Gateway()
    gateway.directory.saved["t1", "r-3"] = CascadeRule("r-3", "t1", "third", (Step("sms"),))
    async with gateway.open():
        messages = [a_body(routing={"type": "cascade_rule", "cascade_rule_id": f"r-{n}"}) for n in range(100)]
        await gateway.ask("POST", "/v1/messages/batch", json={"messages": messages})
        assert gateway.directory.asked == 1
        assert [s.request is not None for s in gateway.desk.submitted].index(True) == 3
