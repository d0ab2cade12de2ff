"""The runner over published cases: it passes what is right and says what is not."""

import json
from pathlib import Path
from typing import Any

from schemas.smpp.conformance import run

ENQUIRE = {"kind": "pdu", "frame": "ok", "command_length": 16, "command": "enquire_link", "sequence_number": 7}
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("enquire", "00000010000000150000000000000007", ENQUIRE),
    ("wrong", "00000010000000150000000000000008", ENQUIRE),
    ("short", "0000001000", {"kind": "pdu", "frame": "need_more", "command_length": 16}),
    (
        "bad length",
        "0000000f000000060000000000000001",
        {
            "kind": "pdu",
            "frame": "bad_length",
            "command_length": 15,
            "reply": {"command": "generic_nack", "command_status": 2, "sequence_number": 1},
        },
    ),
    ("text", "1b65", {"kind": "text", "charset": "gsm0338", "text": "€"}),
    ("receipt", b"id:1 stat:DELIVRD".hex(), {"kind": "dlr_text", "id": "1", "stat": "DELIVRD", "message_state": 2}),
    (
        "header",
        "050003010201",
        {"kind": "udh", "udh": {"concat": {"ref": 1, "ref_bits": 8, "total": 2, "seq": 1}}},
    ),
    ("ids", "", {"kind": "msgid_pair", "submit_sm_resp_or_tlv_id": "ff", "dlr_id": "0255", "must_match": True}),
    ("news", "", {"kind": "news"}),
]


def test_each_case_is_judged_by_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    cases = [{"name": name, "hex": octets, "expect": expect} for name, octets, expect in CASES]
    path.write_text(json.dumps(cases), encoding="utf-8")
    results = {name: (passed, detail) for name, passed, detail in run(path)}
    assert results.pop("wrong") == (False, "sequence_number: 8")
    assert results.pop("news") == (False, "no check for news")
    assert all(passed for passed, _ in results.values()), results
