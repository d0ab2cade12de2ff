"""Sessions counted for TLS-RPT, and the report."""

import json
from datetime import UTC, datetime

import pytest

from egress.mta.tls_report import MAX_FAILURES_PER_DOMAIN, Failure, Policy, TlsReport, receivers, report

STS = Policy("sts", "b.test", ("version: STSv1", "mode: testing"), ("mx.b.test",))
NONE = Policy("no-policy-found", "b.test")


def test_the_report_of_a_day_tells_policies_sums_and_failures() -> None:
    counts = TlsReport()
    for _ in range(3):
        counts.succeeded("b.test", STS)
    counts.failed("b.test", STS, Failure("certificate-expired", "mx.b.test", "192.0.2.9", "192.0.2.1"))
    counts.failed("b.test", STS, Failure("certificate-expired", "mx.b.test", "192.0.2.9", "192.0.2.1"))
    counts.succeeded("b.test", NONE)
    counts.succeeded("c.test", NONE)
    taken = counts.take()

    document = json.loads(
        report(
            "b.test", taken["b.test"], day=datetime(2026, 3, 1, 13, tzinfo=UTC), organisation="Hermes",
            contact="tls@hermes.test", report_id="7",
        )
    )  # fmt: skip

    assert sorted(taken) == ["b.test", "c.test"]
    assert counts.take() == {}
    assert document["date-range"] == {"start-datetime": "2026-03-01T00:00:00Z", "end-datetime": "2026-03-01T23:59:59Z"}
    assert document["organization-name"] == "Hermes"
    first, second = document["policies"]
    assert first == {
        "policy": {
            "policy-type": "sts",
            "policy-string": ["version: STSv1", "mode: testing"],
            "policy-domain": "b.test",
            "mx-host": ["mx.b.test"],
        },
        "summary": {"total-successful-session-count": 3, "total-failure-session-count": 2},
        "failure-details": [
            {
                "result-type": "certificate-expired",
                "sending-mta-ip": "192.0.2.9",
                "receiving-mx-hostname": "mx.b.test",
                "receiving-ip": "192.0.2.1",
                "failed-session-count": 2,
            }
        ],
    }
    assert second["policy"] == {"policy-type": "no-policy-found", "policy-domain": "b.test"}
    assert "failure-details" not in second


def test_kinds_of_failure_are_bounded_and_still_counted() -> None:
    counts = TlsReport()
    for number in range(MAX_FAILURES_PER_DOMAIN + 10):
        counts.failed("b.test", NONE, Failure("validation-failure", f"mx{number}.b.test"))

    sessions = counts.take()["b.test"][NONE]
    assert (sessions.failed, len(sessions.failures)) == (MAX_FAILURES_PER_DOMAIN + 10, MAX_FAILURES_PER_DOMAIN)


@pytest.mark.parametrize(
    ("texts", "uris"),
    [
        ((b"v=TLSRPTv1; rua=mailto:tls@b.test",), ("mailto:tls@b.test",)),
        ((b"v=TLSRPTv1;rua=https://b.test/r, mailto:t@b.test;x=y",), ("https://b.test/r", "mailto:t@b.test")),
        ((b"v=TLSRPTv1; rua=http://b.test/r,ftp://x",), ()),
        ((b"v=TLSRPTv1",), ()),
        ((b"v=TLSRPTv1; rua=mailto:a@b.test", b"v=TLSRPTv1; rua=mailto:c@b.test"), ()),
        ((b"v=spf1 -all",), ()),
    ],
)
def test_reports_go_where_the_one_record_says(texts: tuple[bytes, ...], uris: tuple[str, ...]) -> None:
    assert receivers(texts) == uris
