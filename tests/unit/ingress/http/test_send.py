"""Send: what is accepted, what travels to the desk, what comes back."""

import asyncio
import re
from dataclasses import replace

import pytest

from domain.cascade.rule import CascadeRule, Step
from domain.errors import CODES, Code, FieldError, TransientError, status_of
from domain.message import Submission
from domain.verdict import Reject, Verdict
from ingress.http.shapes import AcceptedMessage, ProblemDocument
from ingress.normalise import fingerprint_of
from tests.fakes.fake_desk import accept
from tests.unit.ingress.http.gateway import NOW_MS, URL, Gateway, a_body


def rejecting(code: Code, **fields: object) -> "type[None] | object":
    """A decision that refuses everything with `code`."""

    def decide(submission: Submission) -> Verdict:
        reject = Reject(3, code, "because", **fields)  # type: ignore[arg-type]  # the test names real fields
        return replace(accept(submission), reject=reject, remaining=0)

    return decide


async def test_a_message_is_accepted_with_its_id_and_where_to_follow_it() -> None:
    async with Gateway().open() as gateway:
        response = await gateway.send(a_body())
        answer = AcceptedMessage.model_validate(await response.json())
        (submission,) = gateway.desk.submitted
    assert response.status == 202
    assert answer.message_id == submission.message_id
    assert re.fullmatch(r"msg-[0-9a-f-]{36}", answer.message_id)
    assert answer.tracking_url == f"{URL}/v1/messages/{answer.message_id}/events"
    assert answer.created_at == "2026-02-10T12:00:00.000Z"
    assert response.headers["RateLimit"] == '"tenant";r=99;t=1'
    assert response.headers["RateLimit-Policy"] == '"tenant";q=100;w=1'


async def test_the_submission_holds_the_normalised_request_and_never_the_secret() -> None:
    async with Gateway().open() as gateway:
        headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        await gateway.send(a_body(reference="order-1", metadata={"a": "b"}), headers=headers)
        (submission,) = gateway.desk.submitted
    assert (submission.tenant_id, submission.key_id, submission.kind) == ("t1", "full", "send")
    assert (submission.slot, submission.config_version, submission.received_at_ms) == (3, 7, NOW_MS)
    assert submission.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert submission.request is not None
    assert submission.request.to.phone == "+4520123456"
    assert submission.request.timezone == "Europe/Copenhagen"
    assert [step.timeout_ms for step in submission.request.steps] == [30_000, 60_000]
    assert (submission.request.reference, submission.request.metadata) == ("order-1", {"a": "b"})
    assert submission.fingerprint == fingerprint_of(a_body(reference="order-1", metadata={"a": "b"}))
    assert "hk_live" not in repr(submission)


async def test_a_saved_rule_gives_the_steps_and_the_directory_knows_what_the_config_has_not_read_yet() -> None:
    gateway = Gateway()
    rule = CascadeRule("rule-9", "t1", "fast", (Step("sms", 5_000),), 60_000, "sent")
    gateway.directory.saved["t1", "rule-9"] = rule
    async with gateway.open():
        await gateway.send(a_body(routing={"type": "cascade_rule", "cascade_rule_id": "rule-9"}))
        await gateway.send(a_body(routing={"type": "cascade_rule", "cascade_rule_id": "rule-8"}))
        known, unknown = gateway.desk.submitted
    assert known.request is not None
    assert known.request.steps == rule.steps
    assert (known.request.confirmation, known.request.max_duration_ms) == ("sent", 60_000)
    assert unknown.request is None
    assert [(e.path, e.code) for e in unknown.errors] == [("routing.cascade_rule_id", "unknown_rule")]


async def test_everything_structurally_wrong_travels_to_the_pipeline_with_its_path() -> None:
    body = a_body(to={"type": "email", "email": 5}, surprise=1)
    body.pop("body")
    body["routing"] = {"type": "channels", "channels": [{"channel": "fax", "timeout": "soon", "max_retries": 11}]}
    async with Gateway().open() as gateway:
        await gateway.send(body)
        (submission,) = gateway.desk.submitted
    assert submission.request is None
    assert {(e.path, e.code) for e in submission.errors} == {
        ("to.email", "wrong_type"),
        ("body", "missing"),
        ("routing.channels.0.channel", "not_allowed"),
        ("routing.channels.0.timeout", "bad_format"),
        ("routing.channels.0.max_retries", "out_of_range"),
        ("surprise", "unknown_field"),
    }


async def test_a_body_that_is_no_object_travels_too() -> None:
    async with Gateway().open() as gateway:
        await gateway.send([1, 2])
        (submission,) = gateway.desk.submitted
    assert [(e.path, e.code) for e in submission.errors] == [("", "wrong_type")]


async def test_the_key_may_be_in_the_header_or_in_the_body_and_does_not_change_the_fingerprint() -> None:
    async with Gateway().open() as gateway:
        await gateway.send(a_body(), headers={"Idempotency-Key": "k-1"})
        await gateway.send(a_body(), headers={"Idempotency-Key": '"k-1"'})
        await gateway.send(a_body(idempotency_key="k-1"))
        await gateway.send(a_body(idempotency_key="k-1"), headers={"Idempotency-Key": "k-1"})
        submitted = gateway.desk.submitted
    assert [s.idempotency_key for s in submitted] == ["k-1"] * 4
    assert len({s.fingerprint for s in submitted}) == 1


@pytest.mark.parametrize(
    ("header", "in_body"), [("k-1", "k-2"), ("x" * 256, None), (None, ""), (None, "a\nb"), ("", None), (None, 7)]
)
async def test_a_bad_or_contradicting_key_is_a_field_error(header: str | None, in_body: object) -> None:
    body = a_body() if in_body is None else a_body(idempotency_key=in_body)
    async with Gateway().open() as gateway:
        await gateway.send(body, headers={} if header is None else {"Idempotency-Key": header})
        (submission,) = gateway.desk.submitted
    assert submission.idempotency_key == ""
    assert submission.request is None
    assert [e.path for e in submission.errors] == ["idempotency_key"]


async def test_two_requests_with_one_key_at_the_same_time_answer_409_to_the_second() -> None:
    gateway = Gateway()
    gateway.desk.hold = asyncio.Event()
    async with gateway.open():
        first = asyncio.create_task(gateway.send(a_body(idempotency_key="k-1")))
        await gateway.desk.arrivals.get()
        second = await gateway.send(a_body(idempotency_key="k-1"))
        other = asyncio.create_task(gateway.send(a_body(idempotency_key="k-1"), key="hk_live_other"))
        await gateway.desk.arrivals.get()
        gateway.desk.hold.set()
        assert (await first).status == 202
        assert (await other).status == 202
        assert (await gateway.send(a_body(idempotency_key="k-1"))).status == 202
    assert second.status == 409
    assert (await second.json())["code"] == "idempotency_in_progress"
    assert second.headers["Retry-After"] == "1"


async def test_a_repeated_answer_says_so_and_has_the_first_id() -> None:
    gateway = Gateway()
    gateway.desk.decide = lambda s: replace(accept(s), message_id="msg-first", replayed=True)
    async with gateway.open():
        response = await gateway.send(a_body(idempotency_key="k-1"))
    assert response.headers["Idempotency-Replayed"] == "true"
    assert (await response.json())["message_id"] == "msg-first"


@pytest.mark.parametrize("code", CODES)
async def test_every_refusal_is_a_problem_document_with_the_status_of_its_code(code: Code) -> None:
    gateway = Gateway()
    gateway.desk.decide = rejecting(code)  # type: ignore[assignment]  # the helper hides the signature
    async with gateway.open():
        response = await gateway.send(a_body())
        problem = ProblemDocument.model_validate(await response.json())
    assert response.status == status_of(code) == problem.status
    assert response.content_type == "application/problem+json"
    assert (problem.code, problem.error, problem.message, problem.detail) == (code, code, "because", "because")
    assert problem.type == f"{URL}/docs/errors#{code}"
    assert problem.instance == "/v1/messages/send"
    assert problem.request_id == response.headers["X-Request-Id"]


async def test_the_rate_limit_answer_has_the_fields_of_the_contract() -> None:
    gateway = Gateway()
    gateway.desk.decide = rejecting(  # type: ignore[assignment]  # as above
        "rate_limit_exceeded", retry_after_ms=300, limit=100, reset_at_ms=NOW_MS + 300
    )
    async with gateway.open():
        response = await gateway.send(a_body())
        problem = await response.json()
    assert response.status == 429
    assert response.headers["Retry-After"] == "1"
    assert response.headers["RateLimit"] == '"tenant";r=0;t=1'
    assert (problem["retry_after"], problem["limit"], problem["remaining"]) == (1, 100, 0)
    assert problem["reset_at"] == "2026-02-10T12:00:00.300Z"


async def test_balance_compliance_and_content_answers_have_their_own_fields() -> None:
    gateway = Gateway()
    async with gateway.open():
        gateway.desk.decide = rejecting("insufficient_balance", balance_micros=5, required_micros=9)  # type: ignore[assignment]  # as above
        money = await (await gateway.send(a_body())).json()
        gateway.desk.decide = rejecting("compliance_blocked", compliance_code="X", regulation="TCPA")  # type: ignore[assignment]  # as above
        law = await (await gateway.send(a_body())).json()
        found = (FieldError("body.text", "shortener", "a link shortener"),)
        gateway.desk.decide = rejecting("content_violation", errors=found, score=7.5)  # type: ignore[assignment]  # as above
        content = await (await gateway.send(a_body())).json()
    assert (money["balance"], money["required"]) == (5, 9)
    assert (law["compliance_code"], law["regulation"], law["status"]) == ("X", "TCPA", 451)
    assert content["violations"] == [{"path": "body.text", "rule": "shortener", "message": "a link shortener"}]
    assert content["score"] == 7.5


async def test_no_verdict_in_time_is_503_and_frees_the_key() -> None:
    gateway = Gateway()
    gateway.desk.error = TransientError("no verdict", 2_500)
    async with gateway.open():
        late = await gateway.send(a_body(idempotency_key="k"))
        gateway.desk.error = None
        again = await gateway.send(a_body(idempotency_key="k"))
    assert (late.status, late.headers["Retry-After"]) == (503, "3")
    assert again.status == 202


async def test_a_dry_run_answers_the_report_and_never_waits_for_its_key() -> None:
    gateway = Gateway()
    gateway.desk.decide = lambda s: replace(accept(s), report='{"layers":[]}')
    async with gateway.open():
        response = await gateway.ask("POST", "/v1/messages/validate", json=a_body(idempotency_key="k"))
        revoked = await gateway.ask("POST", "/v1/messages/validate", "hk_live_revoked", json=a_body())
        assert [s.kind for s in gateway.desk.submitted] == ["validate"]
    assert (response.status, await response.json()) == (200, {"layers": []})
    assert revoked.status == 401


async def test_a_dry_run_that_a_late_layer_refuses_still_explains_and_an_early_one_does_not() -> None:
    gateway = Gateway()
    async with gateway.open():
        for layer, status in ((5, 200), (1, 403)):
            reject = Reject(layer, "forbidden", "no")
            gateway.desk.decide = lambda s, r=reject: replace(accept(s), report="{}", reject=r)  # type: ignore[misc]  # default binds
            response = await gateway.ask("POST", "/v1/messages/validate", json=a_body())
            assert response.status == status
