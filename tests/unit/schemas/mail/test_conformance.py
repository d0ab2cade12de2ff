"""The conformance run: it reads the published forms, and tells what differs."""

import base64
import gzip
import json
from pathlib import Path

from ingress.smtp import conformance as smuggling
from schemas.mail import conformance

SPF = """\
description: one
tests:
  good: {helo: h.example, host: 192.0.2.1, mailfrom: a@d.example, result: pass}
  bad: {helo: h.example, host: 192.0.2.1, mailfrom: a@d.example, result: fail}
  down: {helo: h.example, host: 192.0.2.1, mailfrom: a@down.example, result: temperror}
  alias: {helo: h.example, host: 192.0.2.1, mailfrom: a@alias.example, result: pass}
zonedata:
  d.example: [{SPF: "v=spf1 ip4:192.0.2.1 -all"}]
  alias.example: [{CNAME: d.example.}]
  down.example: [TIMEOUT]
"""


def lines(path: Path, *cases: object) -> None:
    """Write cases the way the files have them."""
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(case) + "\n" for case in cases)


def b64(octets: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(octets).decode()


def test_each_case_is_judged_by_itself(tmp_path: Path) -> None:
    (tmp_path / "spf_rfc4408.yml").write_text(SPF)
    part = {"headers": [{"name": "subject", "value": {"Text": "Hi"}}], "body": {"Text": "Hello\n"}}
    mail = b64(b"Subject: Hi\r\n\r\nHello\r\n")
    lines(
        tmp_path / "mime.jsonl.gz",
        {"id": "good", "raw_b64": mail, "expected": {"parts": [part]}},
        {"id": "bad", "raw_b64": mail, "expected": {"parts": [{**part, "body": {"Text": "Bye"}}]}},
        {"id": "odd", "raw_b64": mail, "expected": {}},
    )
    bounce = b64(b"From: MAILER-DAEMON@x\n\n<a@b.example>: 550 5.1.1 user unknown")
    expected = {"hardbounce": True, "reason": "userunknown"}
    lines(
        tmp_path / "bounces.jsonl.gz",
        {"id": "good", "raw_b64": bounce, "expected": [expected]},
        {"id": "bad", "raw_b64": bounce, "expected": [{"hardbounce": False, "reason": "filtered"}, expected]},
    )
    lines(tmp_path / "arf.jsonl.gz", {"id": "bad", "raw_b64": mail, "expected": [{"another": "abuse"}]})
    lines(
        tmp_path / "dkim_canonicalisation.jsonl.gz",
        {"id": "1", "purpose": "good", "email_b64": b64(b"A:  b\n\nc  \n"), "simple_b64": b64(b"A:  b\r\n\r\nc  \r\n"),
         "relaxed_b64": b64(b"a:b\r\n\r\nc\r\n")},
        {"id": "2", "purpose": "bad", "email_b64": b64(b"A:  b\n\nc  \n"), "simple_b64": "", "relaxed_b64": ""},
    )  # fmt: skip
    found = {(suite, case): (passed, detail) for suite, case, passed, detail in conformance.run(tmp_path)}
    assert found == {
        ("spf", "good"): (True, ""),
        ("spf", "bad"): (False, "pass"),
        ("spf", "down"): (True, ""),
        ("spf", "alias"): (True, ""),
        ("mime", "good"): (True, ""),
        ("mime", "bad"): (False, "text 0: 'Hello\\n' for 'Bye'"),
        ("mime", "odd"): (False, "KeyError: 'parts'"),
        ("bounces", "good"): (True, ""),
        ("bounces", "bad"): (
            False,
            "recipient 0: hard True; recipient 0: userunknown for filtered; recipient 1: missing",
        ),
        ("bounces/recipients", "good"): (True, ""),
        ("bounces/recipients", "bad"): (False, "1 for 2"),
        ("bounces/hard", "good"): (True, ""),
        ("bounces/hard", "bad"): (False, "[True]"),
        ("bounces/reason", "good"): (True, ""),
        ("bounces/reason", "bad"): (False, "['userunknown']"),
        ("arf", "bad"): (False, "no complaint"),
        ("dkim_canonicalisation", "1 good"): (True, ""),
        ("dkim_canonicalisation", "2 bad"): (False, "simple relaxed"),
    }


def test_a_mail_box_of_reports_is_read_one_by_one(tmp_path: Path) -> None:
    report = b"From: MAILER-DAEMON@x\n\n<a@b.example>: 550 5.1.1 user unknown\n\n"
    expected = {"hardbounce": True, "reason": "userunknown"}
    mbox = b64(report + b"From MAILER-DAEMON  Thu Apr 29 23:34:45 2015\n" + report)
    lines(tmp_path / "bounces.jsonl.gz", {"id": "two", "raw_b64": mbox, "expected": [expected, expected]})
    assert all(passed for _, _, passed, _ in conformance.run(tmp_path))


def test_addresses_are_judged_by_form_and_by_what_the_product_takes(tmp_path: Path) -> None:
    cases = (
        "<test id='1'><address>a@b.example</address><category>ISEMAIL_VALID_CATEGORY</category></test>"
        "<test id='2'><address>a@b.example␊</address><category>ISEMAIL_ERR</category></test>"
        "<test id='3'><address>a@[192.0.2.1]</address><category>ISEMAIL_RFC5321</category></test>"
        "<test id='4'><address>a b@c.example</address><category>ISEMAIL_DEPREC</category></test>"
    )
    (tmp_path / "address_isemail.xml").write_text(f"<tests>{cases}</tests>", encoding="utf-8")
    found = [(suite, case, passed) for suite, case, passed, _ in conformance.run(tmp_path)]
    assert found == [
        ("address_form", "1 'a@b.example'", True),
        ("address_taken", "1 'a@b.example'", True),
        ("address_form", "2 'a@b.example\\n'", True),
        ("address_taken", "2 'a@b.example\\n'", True),
        ("address_form", "3 'a@[192.0.2.1]'", True),
        ("address_form", "4 'a b@c.example'", False),
        ("address_taken", "4 'a b@c.example'", True),
    ]


def test_the_end_of_data_sequences_are_judged(tmp_path: Path) -> None:
    assert smuggling.run(tmp_path) == []
    template = b"Subject: one\r\n\r\nbody<SEQ>MAIL FROM:<x@y.example>\r\nDATA\r\ntwo\r\n.\r\n"
    cases = {"template_hex": template.hex(), "end_of_data_sequences_hex": ["0a2e0a", "0d0a2e0d0a", "0d0a"]}
    (tmp_path / smuggling.FILE).write_text(json.dumps(cases))
    passed = [(case, ok) for _, case, ok, _ in smuggling.run(tmp_path)]
    assert passed == [("0a2e0a", True), ("0d0a2e0d0a", False), ("0d0a", False)]
