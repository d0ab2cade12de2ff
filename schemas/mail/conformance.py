"""Runs the mail code over a folder of published cases: SPF, DKIM, MIME, bounces and complaints with their readings."""

import asyncio
import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from schemas.mail.arf import parse_complaint
from schemas.mail.bounce import Bounce, parse_bounces
from schemas.mail.conformance_address import run_addresses
from schemas.mail.conformance_dkim import run_canonical, run_dkim
from schemas.mail.conformance_spf import run_spf
from schemas.mail.fields import MailError
from schemas.mail.mime import parse_mail

Case = dict[str, Any]  # as the file has it: id, raw_b64, expected
Result = tuple[str, str, bool, str]

_NEXT_MAIL: Final = re.compile(
    rb"(?:\n|(?<=[^\s-]--))\r?\nFrom [^\s@]{1,64}(?:@\S{1,255})? {1,2}\w{3} \w{3} [^\n]{0,40}\r?\n(?=[\w-]{1,64}:)"
)
_TEXTS: Final = ("Text", "Html")


def run(folder: Path) -> list[Result]:
    """Suite, case, passed and what differed (empty if nothing) of every case in the folder's files that are there."""
    results: list[Result] = []
    for name, cases in _SUITES.items():
        path = folder / name
        if path.exists():
            results += cases(path)
    return results


def _each(suite: str, differences: Callable[[bytes, Any], Iterator[str]]) -> Callable[[Path], list[Result]]:
    """A suite of lines with a message and what is expected of it."""

    def judge(path: Path) -> list[Result]:
        results: list[Result] = []
        for case in _lines(path):
            try:
                found = "; ".join(differences(base64.b64decode(case["raw_b64"]), case["expected"]))
            except (MailError, LookupError) as error:  # beyond a limit, or a case of a shape not foreseen
                found = f"{type(error).__name__}: {error}"
            results.append((suite, str(case["id"]), not found, found))
        return results

    return judge


def _lines(path: Path) -> Iterator[Case]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _mime(raw: bytes, expected: Any) -> Iterator[str]:
    """Subject, and the texts in their order."""
    mail = parse_mail(raw)
    parts = expected["parts"]
    subjects = [
        field["value"].get("Text") for field in parts[0]["headers"] if field["name"] == "subject" and field["value"]
    ]
    if subjects and (subjects[0] or "") != mail.subject:
        yield f"subject: {mail.subject!r}"
    wanted = [body[kind] for body in _bodies(parts) for kind in _TEXTS if kind in body]
    found = [part.text() for part in mail.root.leaves() if part.type.startswith("text/") or part.is_damaged]
    for number, (ours, theirs) in enumerate(zip_longest(found, wanted)):
        if _plain(ours) != _plain(theirs):
            yield f"text {number}: {ours!r:.80} for {theirs!r:.80}"


def _bodies(parts: list[Any]) -> list[Any]:
    return [part["body"] for part in parts if isinstance(part["body"], dict)]


def _plain(text: str | None) -> str | None:
    return None if text is None else text.replace("\r", "").rstrip("\n")


def _bounces(raw: bytes, expected: Any) -> Iterator[str]:
    """Hard or not and the reason of each recipient; a case may be a mail box of several reports (RFC 4155)."""
    for number, (ours, theirs) in enumerate(zip_longest(_found(raw), expected)):
        if ours is None or theirs is None:
            yield f"recipient {number}: {'missing' if ours is None else 'too many'}"
            continue
        if ours.hard != theirs["hardbounce"]:
            yield f"recipient {number}: hard {ours.hard}"
        if ours.reason != theirs["reason"]:
            yield f"recipient {number}: {ours.reason} for {theirs['reason']}"


def _recipients(raw: bytes, expected: Any) -> Iterator[str]:
    found = len(_found(raw))
    if found != len(expected):
        yield f"{found} for {len(expected)}"


def _hard(raw: bytes, expected: Any) -> Iterator[str]:
    found = [one.hard for one in _found(raw)]
    if any(ours != theirs["hardbounce"] for ours, theirs in zip(found, expected, strict=False)):
        yield f"{found}"


def _reason(raw: bytes, expected: Any) -> Iterator[str]:
    found = [one.reason for one in _found(raw)]
    if any(ours != theirs["reason"] for ours, theirs in zip(found, expected, strict=False)):
        yield f"{found}"


def _found(raw: bytes) -> list[Bounce]:
    return [bounce for mail in _NEXT_MAIL.split(raw) for bounce in parse_bounces(mail)]


def _bounce_suites(path: Path) -> list[Result]:
    """Each mail as a whole, and by what is judged of it."""
    suites = {"bounces": _bounces, "bounces/recipients": _recipients, "bounces/hard": _hard, "bounces/reason": _reason}
    return [result for suite, differences in suites.items() for result in _each(suite, differences)(path)]


def _arf(raw: bytes, expected: Any) -> Iterator[str]:
    found = parse_complaint(raw)
    if found is None:
        yield "no complaint"
    elif found.kind != expected[0]["another"]:
        yield f"kind: {found.kind}"


def _spf(path: Path) -> list[Result]:
    return [("spf", *result) for result in asyncio.run(run_spf(path.read_text(encoding="utf-8")))]


def _dkim(path: Path) -> list[Result]:
    return [("dkim", *result) for result in asyncio.run(run_dkim(list(_lines(path))))]


def _canonical(path: Path) -> list[Result]:
    return [("dkim_canonicalisation", *result) for result in run_canonical(list(_lines(path)))]


_SUITES: Final[dict[str, Callable[[Path], list[Result]]]] = {
    "spf_rfc4408.yml": _spf,
    "dkim.jsonl.gz": _dkim,
    "dkim_canonicalisation.jsonl.gz": _canonical,
    "mime.jsonl.gz": _each("mime", _mime),
    "bounces.jsonl.gz": _bounce_suites,
    "arf.jsonl.gz": _each("arf", _arf),
    "address_isemail.xml": run_addresses,
}
