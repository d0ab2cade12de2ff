"""Runs the signatures over published callbacks and requests: each must verify, and nothing altered may."""

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from schemas.signatures import hlr_lookups, messente, meta, sendgrid, sigv4, sns, standard, twilio, workos

Found = tuple[str, bool]
"""What was tried, and whether the answer was right."""


def run(cases: Mapping[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """Case, passed and what differed, of each provider that the file has."""
    for name, judge in _PROVIDERS.items():
        if name in cases:
            for what, passed in judge(cases[name]):
                yield f"{name} {what}", passed, "" if passed else "the other answer was given"


def _sendgrid(case: Any) -> Iterator[Found]:
    for altered in ({}, *case["negative"]):
        one = {**case, **altered}
        key = sendgrid.public_key(one["public_key_b64"])
        now_ms = int(case["timestamp"]) * 1_000
        found = sendgrid.verify(key, one["signature"], one["timestamp"], one["body"].encode(), now_ms)
        yield " ".join(altered) or "published", found == (not altered)
    late = int(case["timestamp"]) * 1_000 + 3_600_000
    key = sendgrid.public_key(case["public_key_b64"])
    yield "late", not sendgrid.verify(key, case["signature"], case["timestamp"], case["body"].encode(), late)


def _twilio(case: Any) -> Iterator[Found]:
    token = case["auth_token"]
    for one in case["cases"]:
        url, expected = one["signed_url"], one["expected"]
        if "body" in one:
            body = one["body"].encode()
            yield one["name"], twilio.verify_body(token, url, body, expected)
            yield f"{one['name']} altered", not twilio.verify_body(token, url, body + b" ", expected)
        else:
            form = [(name, value) for name, value in one["params"]]
            yield one["name"], twilio.verify_form(token, url, form, expected)
            yield f"{one['name']} altered", not twilio.verify_form(token, url, [*form, ("A", "1")], expected)


def _sns(case: Any) -> Iterator[Found]:
    certificate = case["signing_cert_pem"].encode()
    for number, message in enumerate(case["messages"]):
        at = datetime.fromisoformat(message["Timestamp"].removesuffix("Z")).replace(tzinfo=UTC)
        topics = frozenset({message["TopicArn"]})
        yield f"{number}", sns.verify(message, certificate, topics, at)
        yield f"{number} altered", not sns.verify({**message, "Message": "Hello"}, certificate, topics, at)
        yield f"{number} of another topic", not sns.verify(message, certificate, frozenset(), at)
        yield f"{number} late", not sns.verify(message, certificate, topics, datetime(2026, 1, 1, tzinfo=UTC))
        elsewhere = {**message, "SigningCertURL": "https://sns.us-east-2.amazonaws.com.example.org/a.pem"}
        yield f"{number} by another certificate", not sns.verify(elsewhere, certificate, topics, at)


def _sigv4(case: Any) -> Iterator[Found]:
    for one in case["cases"]:
        credentials = sigv4.Credentials(one["access_key"], one["secret_key"], one["region"], one["service"])
        request = sigv4.Request(one["method"], one["url"], one["headers"], one["body"].encode(), one["amz_date"])
        yield one["name"], sigv4.verify(credentials, request, one["authorization"])


def _standard(case: Any) -> Iterator[Found]:
    at, body, now_ms = str(case["timestamp"]), case["body"].encode(), case["timestamp"] * 1_000
    keys = (
        {"v1": case["v1"]["secret"], "v1a": case["v1a"]["public_key"]}
        if "v1a" in case
        else {"v1": case["v1"]["secret"]}
    )
    for version, key in keys.items():
        signature = case[version]["signature"]
        yield version, standard.verify(key, case["id"], at, body, signature, now_ms)
        yield f"{version} altered", not standard.verify(key, case["id"], at, body + b" ", signature, now_ms)
        late = now_ms + case.get("tolerance_seconds", 300) * 1_000 + 1
        yield f"{version} late", not standard.verify(key, case["id"], at, body, signature, late)


def _meta(case: Any) -> Iterator[Found]:
    for one in (case, case["computed"]):
        yield one["secret"][:3], meta.verify(one["secret"], one["expected"], one["body"].encode())
        yield f"{one['secret'][:3]} altered", not meta.verify(one["secret"], one["expected"], b"")


def _workos(case: Any) -> Iterator[Found]:
    now_ms, body = int(case["timestamp_ms"]), case["body"].encode()
    yield "computed", workos.verify(case["secret"], case["expected"], body, now_ms)
    yield "altered", not workos.verify(case["secret"], case["expected"], body + b" ", now_ms)
    yield "late", not workos.verify(case["secret"], case["expected"], body, now_ms + 180_001)


def _messente(case: Any) -> Iterator[Found]:
    yield "computed", messente.verify(case["secret"], case["expected"], case["body"].encode())
    yield "altered", not messente.verify(case["secret"], case["expected"], b"{}")


def _hlr_lookups(case: Any) -> Iterator[Found]:
    request = (case["secret"], case["endpoint"], case["timestamp"], case["method"], case["body"].encode())
    now_ms = int(case["timestamp"]) * 1_000
    yield "computed", hlr_lookups.verify(*request, case["expected"], now_ms)
    yield "altered", not hlr_lookups.verify(*request, base64.b64encode(b"x").decode(), now_ms)


_PROVIDERS: Final[dict[str, Callable[[Any], Iterator[Found]]]] = {
    "sendgrid_event_webhook": _sendgrid,
    "twilio": _twilio,
    "aws_sns": _sns,
    "aws_sigv4": _sigv4,
    "standard_webhooks": _standard,
    "meta_x_hub_signature_256": _meta,
    "workos": _workos,
    "messente": _messente,
    "hlr_lookups_request": _hlr_lookups,
}
