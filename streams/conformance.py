"""`hermes conformance FOLDER`: the wire code over published test vectors; status 1 when a promised score does not hold."""

import argparse
import base64
import gzip
import hmac
import json
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from domain.errors import ConfigError
from egress.mta.dkim import relaxed_body, relaxed_field
from egress.webhooks.signing import sign
from ingress.smtp import conformance as smuggling
from schemas.mail import conformance as mail
from schemas.signatures import conformance as signatures
from schemas.smpp import conformance as smpp

MAX_FILE_OCTETS: Final = 64 * 1024 * 1024
MAX_DETAIL_CHARS: Final = 200

Case = tuple[str, str, bool, str]
"""Suite, case, passed, and what differed."""

FLOORS: Final[dict[str, float]] = {
    "smpp": 1.0,
    "webhooks/standard": 1.0,
    "webhooks/verify": 1.0,
    "mta/dkim-relaxed": 1.0,
    "spf": 1.0,
    "dkim": 1.0,
    "dkim_canonicalisation": 1.0,
    "arf": 1.0,
    "mime": 0.9,
    "bounces": 0.9,
    "bounces/recipients": 0.97,
    "bounces/hard": 0.95,
    "bounces/reason": 0.9,
    "address_form": 0.99,
    "address_taken": 1.0,
    "smtp_smuggling": 1.0,
}
"""The share of a suite's cases that is promised to pass; a suite without one is only reported."""


@dataclass(slots=True)
class Score:
    """How one suite did."""

    cases: int = 0
    passed: int = 0
    failures: list[str] = field(default_factory=list)

    def holds(self, floor: float) -> bool:
        """Whether at least this share passed."""
        return self.passed >= floor * self.cases


def main(arguments: Sequence[str]) -> int:
    """Run what there is in the folder and print a line a suite, then the cases that failed."""
    parser = argparse.ArgumentParser(prog="hermes conformance", description=__doc__)
    parser.add_argument("folder", type=Path, help="with smpp.json, provider_webhooks.json and mail/")
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        sys.stdout.write(f"no vectors at {folder}: nothing to run\n")
        return 0
    scores = score(run(folder))
    sys.stdout.write(report(scores))
    return 0 if all(one.holds(FLOORS.get(suite, 0)) for suite, one in scores.items()) else 1


def run(folder: Path) -> Iterator[Case]:
    """Every case of the folder's files, in the order of the suites; ConfigError for a file that cannot be read."""
    for suite, place, cases in SUITES:
        if (path := folder / place).exists():
            with _readable(path, suite):
                for name, passed, detail in cases(path):
                    yield suite, name, passed, detail
    if (path := folder / "mail").is_dir():
        with _readable(path, "mail"):
            yield from mail.run(path)
            yield from smuggling.run(path)


@contextmanager
def _readable(path: Path, suite: str) -> Iterator[None]:
    """What a file of another shape raises is the user's error."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, EOFError, zlib.error) as error:
        raise ConfigError(f"{path} has no {suite} cases that can be read: {type(error).__name__}: {error}") from error


def score(cases: Iterator[Case]) -> dict[str, Score]:
    """The cases counted by suite."""
    scores: dict[str, Score] = {}
    for suite, name, passed, detail in cases:
        one = scores.setdefault(suite, Score())
        one.cases += 1
        one.passed += passed
        if not passed:
            one.failures.append(f"{name}: {detail[:MAX_DETAIL_CHARS]}" if detail else name)
    return scores


def report(scores: dict[str, Score]) -> str:
    """A line a suite, then the failing cases of each."""
    lines = [f"{'suite':28}{'passed':>8}{'cases':>8}{'share':>9}  promised"]
    for suite, one in scores.items():
        floor = FLOORS.get(suite)
        promised = "-" if floor is None else f"{floor:.0%}{'' if one.holds(floor) else '  BROKEN'}"
        lines.append(f"{suite:28}{one.passed:8}{one.cases:8}{one.passed / one.cases:9.1%}  {promised}")
    for suite, one in scores.items():
        lines.extend(f"failed  {suite}  {failure}" for failure in one.failures)
    if not scores:
        lines = ["no file of vectors is there: nothing to run"]
    return "\n".join(lines) + "\n"


def _octets(path: Path) -> bytes:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        return file.read(MAX_FILE_OCTETS)


def _smpp(path: Path) -> Iterator[tuple[str, bool, str]]:
    yield from smpp.run(path)


def _standard_webhooks(path: Path) -> Iterator[tuple[str, bool, str]]:
    """Our signature of the published callback (github.com/standard-webhooks); `v1a` is not ours."""
    case: dict[str, Any] = json.loads(_octets(path))["standard_webhooks"]
    found = sign(case["v1"]["secret"], case["id"], case["timestamp"], case["body"].encode())
    yield "v1", hmac.compare_digest(found, case["v1"]["signature"]), found


def _verified(path: Path) -> Iterator[tuple[str, bool, str]]:
    """The signatures of providers, and that nothing altered has one."""
    yield from signatures.run(json.loads(_octets(path)))


def _dkim_relaxed(path: Path) -> Iterator[tuple[str, bool, str]]:
    """Header and body in the form that we sign (RFC 6376 sections 3.4.2 and 3.4.4); the cases have LF lines."""
    for line in _octets(path).splitlines():
        if line:
            case: dict[str, str] = json.loads(line)
            found = _relaxed(base64.b64decode(case["email_b64"]))
            yield case["id"], found == base64.b64decode(case["relaxed_b64"]), f"{case['purpose']}: {found!r}"


def _relaxed(mail: bytes) -> bytes:
    head, _, body = mail.replace(b"\n", b"\r\n").partition(b"\r\n\r\n")
    fields: list[bytes] = []
    for line in head.removesuffix(b"\r\n").split(b"\r\n") if head else ():
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += b"\r\n" + line
        else:
            fields.append(line)
    relaxed = b"".join(relaxed_field(*f.split(b":", 1)) for f in fields)
    return relaxed + b"\r\n" + relaxed_body(body)


SUITES: Final[tuple[tuple[str, str, Callable[[Path], Iterator[tuple[str, bool, str]]]], ...]] = (
    ("smpp", "smpp.json", _smpp),
    ("webhooks/standard", "provider_webhooks.json", _standard_webhooks),
    ("webhooks/verify", "provider_webhooks.json", _verified),
    ("mta/dkim-relaxed", "mail/dkim_canonicalisation.jsonl.gz", _dkim_relaxed),
)
"""Suite, its file in the folder, and what runs it. Those of the mail code come after them."""
