"""TLS-RPT: what came of each session with a domain, counted by result, and the report of a day (RFC 8460)."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

MAX_DOMAINS = 10_000
MAX_FAILURES_PER_DOMAIN = 100
MAX_RUA = 5

PolicyType = Literal["tlsa", "sts", "no-policy-found"]
ResultType = Literal[
    "starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted",
    "validation-failure", "tlsa-invalid", "dnssec-invalid", "dane-required",
    "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid",
]  # fmt: skip

_URI = re.compile(r"(?:https://|mailto:)[\x21-\x2b\x2d-\x3a\x3c-\x7e]{3,500}")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that sessions were held to; `lines` and `hosts` are the policy as the domain published it."""

    type: PolicyType
    domain: str
    lines: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind of failure with one host."""

    result: ResultType
    mx: str = ""
    source_ip: str = ""
    receiving_ip: str = ""


@dataclass(slots=True)
class Sessions:
    """The sessions of one policy."""

    succeeded: int = 0
    failed: int = 0
    failures: dict[Failure, int] = field(default_factory=dict)


@dataclass(slots=True)
class TlsReport:
    """Counts since `begin`; `take` gives them and begins anew. Domains and kinds of failure beyond the limits are dropped."""

    _domains: dict[str, dict[Policy, Sessions]] = field(default_factory=dict)

    def succeeded(self, domain: str, policy: Policy) -> None:
        """A session was as the policy wants it."""
        if sessions := self._sessions(domain, policy):
            sessions.succeeded += 1

    def failed(self, domain: str, policy: Policy, failure: Failure) -> None:
        """A session was not."""
        if sessions := self._sessions(domain, policy):
            sessions.failed += 1
            if failure in sessions.failures or len(sessions.failures) < MAX_FAILURES_PER_DOMAIN:
                sessions.failures[failure] = sessions.failures.get(failure, 0) + 1

    def take(self) -> dict[str, dict[Policy, Sessions]]:
        """What was counted, by recipient domain; nothing of it is counted again."""
        taken, self._domains = self._domains, {}
        return taken

    def _sessions(self, domain: str, policy: Policy) -> Sessions | None:
        found = self._domains.get(domain)
        if found is None:
            if len(self._domains) >= MAX_DOMAINS:
                return None
            found = self._domains[domain] = {}
        return found.setdefault(policy, Sessions())


def report(
    domain: str, counted: dict[Policy, Sessions], *, day: datetime, organisation: str, contact: str, report_id: str
) -> bytes:
    """The JSON document about `domain` for the UTC day that begins at `day` (section 4.4)."""
    begin = day.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end = begin + timedelta(days=1) - timedelta(seconds=1)
    document = {
        "organization-name": organisation,
        "date-range": {"start-datetime": _time(begin), "end-datetime": _time(end)},
        "contact-info": contact,
        "report-id": f"{_time(begin)}_{domain}_{report_id}",
        "policies": [_policy(policy, sessions) for policy, sessions in counted.items()],
    }
    return json.dumps(document, ensure_ascii=False).encode("utf-8")


def receivers(texts: Iterable[bytes]) -> tuple[str, ...]:
    """Where a domain wants its reports: the URIs of the one TLSRPTv1 record among `texts`, empty for none (section 3)."""
    found = [text.decode("latin-1") for text in texts if text.startswith(b"v=TLSRPTv1")]
    if len(found) != 1:
        return ()
    version, *tags = [tag.strip() for tag in found[0].split(";")]
    wanted = [tag.partition("=")[2] for tag in tags if tag.partition("=")[0].strip() == "rua"]
    if version != "v=TLSRPTv1" or len(wanted) != 1:
        return ()
    uris = [uri.strip() for uri in wanted[0].split(",")]
    return tuple(uri for uri in uris if _URI.fullmatch(uri))[:MAX_RUA]


def _policy(policy: Policy, sessions: Sessions) -> dict[str, object]:
    about: dict[str, object] = {"policy-type": policy.type, "policy-domain": policy.domain}
    if policy.lines:
        about["policy-string"] = list(policy.lines)
    if policy.hosts:
        about["mx-host"] = list(policy.hosts)
    told: dict[str, object] = {
        "policy": about,
        "summary": {
            "total-successful-session-count": sessions.succeeded,
            "total-failure-session-count": sessions.failed,
        },
    }
    if sessions.failures:
        told["failure-details"] = [_failure(failure, count) for failure, count in sessions.failures.items()]
    return told


def _failure(failure: Failure, count: int) -> dict[str, object]:
    told: dict[str, object] = {"result-type": failure.result}
    if failure.source_ip:
        told["sending-mta-ip"] = failure.source_ip
    if failure.mx:
        told["receiving-mx-hostname"] = failure.mx
    if failure.receiving_ip:
        told["receiving-ip"] = failure.receiving_ip
    return told | {"failed-session-count": count}


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
