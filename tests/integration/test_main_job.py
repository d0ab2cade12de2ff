"""The main job through the front door: what a tenant can ask for over HTTP, and what becomes of it."""

import base64
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streams.metric_names import MetricName
from tests.integration.outside import REFUSED_ONCE, Callback, until
from tests.integration.product import Client, Product, cascade, email, sms

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

GOOD, BAD, SILENT, LATE = "+4599000001", "+4599000002", "+4599000003", "+4599000005"
MOVED: tuple[MetricName, ...] = (
    "hermes_api_requests_total", "hermes_api_latency_seconds", "hermes_api_active_connections",
    "hermes_validation_rejections_total", "hermes_validation_pass_total", "hermes_balance_check_failures_total",
    "hermes_cascade_messages_total", "hermes_cascade_step_attempts_total", "hermes_cascade_step_duration_seconds",
    "hermes_cascade_depth_total", "hermes_billing_messages_metered_total", "hermes_billing_reservation_failures_total",
    "hermes_smpp_connections_active", "hermes_smpp_submit_sm_total", "hermes_smpp_deliver_sm_total",
    "hermes_mta_emails_sent_total", "hermes_routing_decisions_total", "hermes_carrier_cost_per_message",
    "hermes_pipeline_batch_records", "hermes_pipeline_batch_seconds", "hermes_pipeline_restore_seconds",
    "hermes_timers_pending", "hermes_timer_lag_seconds", "hermes_egress_send_seconds",
)  # fmt: skip
RULE = {
    "name": "mail, then text",
    "steps": [{"channel": "email", "timeout": "30s"}, {"channel": "sms", "timeout": "30s", "max_retries": 1}],
    "confirmation_level": "delivered",
}


@pytest.fixture(scope="module")
def acme(product: Product) -> Client:
    return product.client("Acme")


def callbacks(product: Product, message_id: str) -> list[Callback]:
    """The callbacks about one message so far."""
    return [c for c in product.world.callbacks if json.loads(c.body)["data"].get("message_id") == message_id]


def test_a_text_message_is_accepted_sent_and_delivered_and_charged_once(acme: Client) -> None:
    before = acme.call("GET", "/v1/tenants/me").json["balance"]
    message_id = acme.accepted(sms(GOOD, reference="order-1"))
    found = acme.ended(message_id)
    assert (found["status"]["state"], found["confirmed_by"], found["reference"]) == ("delivered", 1, "order-1")
    assert found["attempts"][0]["adapter_id"] == "sandbox"
    assert found["price"] == {"amount_micros": 30_000, "currency": "EUR"}

    def settled() -> bool:
        now = acme.call("GET", "/v1/tenants/me").json["balance"]
        return (now["spent_micros"], now["reserved_micros"]) == (before["spent_micros"] + 30_000, 0)

    until(settled)


def test_the_timeline_tells_what_happened_in_its_order(acme: Client) -> None:
    message_id = acme.accepted(sms(GOOD))
    acme.ended(message_id)
    answer = acme.call("GET", f"/v1/messages/{message_id}/events")
    events = [e["event"] for e in answer.json["events"]]
    assert events[:2] == ["accepted", "attempting"]
    # a receipt may overtake the answer to its submit
    assert sorted(events[2:]) == ["delivered", "receipt", "sent"]


def test_a_mail_that_bounces_is_followed_by_a_text_message(acme: Client) -> None:
    rule = acme.call("POST", "/v1/cascade-rules", RULE)
    assert rule.status == 201, rule
    rule_id = rule.json["rule_id"]
    assert acme.call("GET", f"/v1/cascade-rules/{rule_id}").json["name"] == RULE["name"]
    assert rule_id in [r["rule_id"] for r in acme.call("GET", "/v1/cascade-rules").json["cascade_rules"]]

    body = cascade(GOOD, "bounced@customer.example", "Your parcel is here")
    body["routing"] = {"type": "cascade_rule", "cascade_rule_id": rule_id}
    found = acme.ended(acme.accepted(body))
    assert [(a["channel"], a["status"]["state"]) for a in found["attempts"]] == [
        ("email", "failed"),
        ("sms", "delivered"),
    ]
    assert (found["status"]["state"], found["confirmed_by"]) == ("delivered", 2)

    changed = acme.call("PUT", f"/v1/cascade-rules/{rule_id}", {**RULE, "name": "changed"})
    assert (changed.status, changed.json["name"], changed.json["version"]) == (200, "changed", 2)


def test_a_cascade_that_reaches_nobody_is_exhausted_and_costs_nothing(acme: Client) -> None:
    steps: tuple[dict[str, object], ...] = ({"channel": "email"}, {"channel": "sms", "timeout": "20s"})
    found = acme.ended(acme.accepted(cascade(BAD, "bounced@customer.example", "nobody", *steps)))
    assert (found["status"]["state"], found["price"]["amount_micros"]) == ("exhausted", 0)


def test_each_item_of_a_batch_gets_its_own_answer(acme: Client) -> None:
    items = [sms(GOOD), {"nonsense": 1}, email("ann@customer.example"), sms("12")]
    answer = acme.call("POST", "/v1/messages/batch", {"messages": items})
    assert answer.status == 200
    assert [r["status"] for r in answer.json["results"]] == ["accepted", "rejected", "accepted", "rejected"]
    assert (answer.json["accepted"], answer.json["rejected"]) == (2, 2)
    assert answer.json["results"][1]["error"]["code"] == "validation_failed"
    for result in answer.json["results"][::2]:
        assert acme.ended(result["message_id"])["status"]["state"] == "delivered"


def test_a_repeated_request_is_the_same_message_and_another_body_under_its_key_is_refused(acme: Client) -> None:
    body = sms(GOOD, "only once")
    first = acme.send(body, Idempotency_Key="order-77")
    again = acme.send(body, Idempotency_Key="order-77")
    assert (first.status, again.status) == (202, 202)
    assert first.json["message_id"] == again.json["message_id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    other = acme.send(sms(GOOD, "something else"), Idempotency_Key="order-77")
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")


def test_a_scheduled_message_can_be_cancelled_and_a_finished_one_cannot(acme: Client) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    message_id = acme.accepted(sms(GOOD, send_at=tomorrow))
    assert acme.show(message_id)["status"]["state"] == "scheduled"
    stopped = acme.call("POST", f"/v1/messages/{message_id}/cancel")
    assert (stopped.status, stopped.json["status"]["state"]) == (200, "cancelled")
    assert acme.call("POST", f"/v1/messages/{message_id}/cancel").status == 200

    done = acme.accepted(sms(GOOD))
    acme.ended(done)
    late = acme.call("POST", f"/v1/messages/{done}/cancel")
    assert (late.status, late.json["code"]) == (409, "conflict")


def test_a_message_that_was_cancelled_with_its_carrier_is_not_followed_by_another(acme: Client) -> None:
    steps: tuple[dict[str, object], ...] = ({"channel": "sms", "timeout": "1s"}, {"channel": "email"})
    message_id = acme.accepted(cascade(SILENT, "ann@customer.example", "stop me", *steps))
    until(lambda: acme.show(message_id)["status"]["state"] == "waiting_confirmation")
    assert acme.call("POST", f"/v1/messages/{message_id}/cancel").status == 409
    found = acme.ended(message_id)
    assert (found["status"]["state"], len(found["attempts"])) == ("cancelled", 1)


def test_a_final_state_is_called_back_signed_and_under_one_id_however_often(product: Product, acme: Client) -> None:
    message_id = acme.accepted(email("ann@customer.example", reference=REFUSED_ONCE))
    acme.ended(message_id)
    until(lambda: len(callbacks(product, message_id)) >= 2)  # the first was refused, so it came again
    got = callbacks(product, message_id)
    assert len({c.headers["webhook-id"] for c in got}) == 1
    told = json.loads(got[0].body)
    assert (told["type"], told["data"]["state"], told["data"]["reference"]) == (
        "message.delivered",
        "delivered",
        REFUSED_ONCE,
    )
    secret = base64.b64decode(product.tenant("Acme")["webhook"]["secret"].removeprefix("whsec_"))
    for callback in got:
        signed = f"{callback.headers['webhook-id']}.{callback.headers['webhook-timestamp']}.".encode() + callback.body
        expected = "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
        assert callback.headers["webhook-signature"].split() == [expected]
        assert abs(int(callback.headers["webhook-timestamp"]) - time.time()) < 60


def test_a_dry_run_explains_and_sends_nothing(product: Product, acme: Client) -> None:
    before = len(product.world.smsc.submits)
    answer = acme.call("POST", "/v1/messages/validate", sms("+4520000001"))
    assert answer.status == 200, answer
    assert [layer["layer"] for layer in answer.json["layers"]] == [0, 1, 2, 3, 4, 5, 6, 7, 9]
    assert acme.call("GET", "/v1/tenants/me").json["balance"]["reserved_micros"] == 0
    assert len(product.world.smsc.submits) == before


def test_a_new_key_works_at_once_within_its_scopes_until_it_is_revoked(product: Product, acme: Client) -> None:
    made = acme.call("POST", "/v1/tenants/api-keys", {"label": "reader", "permissions": ["read"]})
    assert made.status == 201, made
    reader = Client(product.ready["http"], made.json["secret"])
    assert reader.call("GET", "/v1/tenants/me").status == 200
    refused = reader.send(sms(GOOD))
    assert (refused.status, refused.json["code"]) == (403, "forbidden")
    listed = acme.call("GET", "/v1/tenants/api-keys").json["api_keys"]
    assert "secret" not in next(k for k in listed if k["key_id"] == made.json["key_id"])
    assert acme.call("DELETE", f"/v1/tenants/api-keys/{made.json['key_id']}").status == 204
    assert reader.call("GET", "/v1/tenants/me").status == 401
    assert reader.send(sms(GOOD)).status == 401


def test_without_money_nothing_is_accepted_and_what_a_test_key_sends_is_free(product: Product) -> None:
    poor = product.client("Poor")
    refused = poor.send(sms(GOOD))
    assert (refused.status, refused.json["code"], refused.json["required"]) == (402, "insufficient_balance", 30_000)
    test = Client(product.ready["http"], product.tenant("Poor")["test_api_key"])
    found = test.ended(test.accepted(sms("+4520000001")))
    assert (found["status"]["state"], found["attempts"][0]["adapter_id"]) == ("delivered", "sandbox")
    assert found["price"]["amount_micros"] == 0


def test_nobody_sees_the_messages_of_another_tenant(product: Product, acme: Client) -> None:
    message_id = acme.accepted(sms(GOOD))
    other = product.client("Crash")
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
        assert other.call(method, f"/v1/messages/{message_id}{path}").status == 404
    assert Client(product.ready["http"], "hk_live_nobody").call("GET", "/v1/tenants/me").status == 401


def test_the_metrics_of_what_has_happened_are_served_by_the_processes(product: Product, acme: Client) -> None:
    acme.ended(acme.accepted(sms(GOOD)))
    served = "".join(product.metrics(role) for role in product.ready["metrics_by_role"])
    assert not [name for name in MOVED if f"# TYPE {name} " not in served]


def test_a_second_start_goes_on_where_the_first_stopped(product: Product, acme: Client) -> None:
    done = acme.accepted(sms(GOOD, reference="before"))
    acme.ended(done)
    soon = (datetime.now(UTC) + timedelta(seconds=6)).isoformat()
    waiting = acme.accepted(sms(GOOD, send_at=soon))
    balance = acme.call("GET", "/v1/tenants/me").json["balance"]
    account: dict[str, Any] = product.tenant("Acme")

    assert product.stop() == 0
    product.start()

    again = product.client("Acme")
    assert product.tenant("Acme") == account
    assert again.show(done)["reference"] == "before"
    found = again.ended(waiting, 30)
    assert (found["status"]["state"], len(found["attempts"])) == ("delivered", 1)
    after = again.call("GET", "/v1/tenants/me").json["balance"]
    assert after["granted_micros"] == balance["granted_micros"]
