"""The conformance command: scores by suite, the failing cases, and a status that holds it to what is promised."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from streams import cli, conformance

RIGHT: dict[str, Any] = {"name": "euro", "hex": "1b65", "expect": {"kind": "text", "charset": "gsm0338", "text": "€"}}
WRONG: dict[str, Any] = {**RIGHT, "name": "pound", "expect": {**RIGHT["expect"], "text": "£"}}
SECRET = "whsec_" + base64.b64encode(bytes(24)).decode()


def smpp(folder: Path, *cases: dict[str, Any]) -> None:
    (folder / "smpp.json").write_text(json.dumps(cases), encoding="utf-8")


def webhook(folder: Path, signature: str) -> None:
    case = {"id": "msg_1", "timestamp": 1, "body": "{}", "v1": {"secret": SECRET, "signature": signature}}
    (folder / "provider_webhooks.json").write_text(json.dumps({"standard_webhooks": case}))


def canonical(folder: Path, mail: bytes, relaxed: bytes, simple: bytes) -> None:
    case = {"id": "1", "purpose": "a field over two lines", "email_b64": base64.b64encode(mail).decode()}
    forms = {"relaxed_b64": base64.b64encode(relaxed).decode(), "simple_b64": base64.b64encode(simple).decode()}
    (folder / "mail").mkdir()
    with gzip.open(folder / "mail" / "dkim_canonicalisation.jsonl.gz", "wt") as file:
        file.write(json.dumps({**case, **forms}) + "\n")


def test_a_machine_without_vectors_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance.main([str(tmp_path / "none")]) == 0
    assert capsys.readouterr().out == f"no vectors at {tmp_path / 'none'}: nothing to run\n"


def test_a_folder_without_a_file_that_we_know_passes_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conformance.main([str(tmp_path)]) == 0
    assert "nothing to run" in capsys.readouterr().out


def test_scores_that_are_promised_and_hold_are_status_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    smpp(tmp_path, RIGHT)
    canonical(tmp_path, b"A: b\n  c \n\nx \n\n", b"a:b c\r\n\r\nx\r\n", b"A: b\r\n  c \r\n\r\nx \r\n")

    assert cli.main(["conformance", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["suite", "passed", "cases", "share", "promised"],
        ["smpp", "1", "1", "100.0%", "100%"],
        ["mta/dkim-relaxed", "1", "1", "100.0%", "100%"],
        ["dkim_canonicalisation", "1", "1", "100.0%", "100%"],
    ]


def test_a_broken_promise_is_status_1_with_the_case_and_what_differed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    smpp(tmp_path, RIGHT, WRONG)

    assert conformance.main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "50.0%  100%  BROKEN" in out
    assert "failed  smpp  pound: text: '€'" in out


def test_a_suite_without_a_promise_is_only_reported() -> None:
    scores = conformance.score(iter([("mail/other", "a", True, ""), ("mail/other", "b", False, "")]))

    assert scores["mail/other"].holds(conformance.FLOORS.get("mail/other", 0))
    assert "50.0%  -" in conformance.report(scores)
    assert "failed  mail/other  b\n" in conformance.report(scores)


def test_our_signature_of_a_callback_is_compared_with_the_published_one(tmp_path: Path) -> None:
    webhook(tmp_path, "v1,AAAA")
    (_, _, passed, found), *_ = conformance.run(tmp_path)
    assert not passed

    webhook(tmp_path, found)
    assert [case[:3] for case in conformance.run(tmp_path)] == [
        ("webhooks/standard", "v1", True),
        ("webhooks/verify", "standard_webhooks v1", True),
        ("webhooks/verify", "standard_webhooks v1 altered", True),
        ("webhooks/verify", "standard_webhooks v1 late", True),
    ]


def test_a_file_of_something_else_is_the_users_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "provider_webhooks.json").write_text("{}")

    assert cli.main(["conformance", str(tmp_path)]) == cli.EXIT_USER
    assert "provider_webhooks.json has no webhooks/standard cases that can be read" in capsys.readouterr().err
