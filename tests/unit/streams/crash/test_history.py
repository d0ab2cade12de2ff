"""What clients saw, and the logs that are followed while they are cut short."""

import json
from pathlib import Path

from streams.crash.history import History
from streams.crash.items import Item
from streams.crash.tail import Tail, unknown_in

SMS = Item("crash-x-1", 1, "single", "good", 0)
BY_SMPP = Item("crash-x-2", 2, "smpp", "good", 0)


def test_a_message_is_open_until_it_is_answered() -> None:
    history = History()
    history.begin(SMS)
    assert history.open == [SMS.tag]
    history.refused(SMS, "validation_failed")
    assert history.open == []


def test_all_answers_to_one_key_are_kept() -> None:
    history = History()
    history.accepted(SMS, "msg-1")
    history.accepted(SMS, "msg-1")
    history.accepted(SMS, "msg-2")
    assert history.told[SMS.tag].ids == {"msg-1", "msg-2"}
    assert history.told[SMS.tag].answers == 3
    assert set(history.ids) == {"msg-1", "msg-2"}


def test_a_message_by_smpp_waits_for_its_receipt_besides_the_callback() -> None:
    history = History()
    history.accepted(SMS, "msg-1")
    history.accepted(BY_SMPP, "msg-2")
    assert history.unheard() == 2
    for message_id in ("msg-1", "msg-2"):
        history.callbacks[message_id]["evt"] += 1
    assert history.unheard() == 1
    history.receipts["msg-2"]["DELIVRD"] += 1
    assert history.unheard() == 0


def line(message_id: str, event: str = "attempt_unknown") -> bytes:
    return json.dumps({"event": event, "message_id": message_id}).encode() + b"\n"


def test_unknown_attempts_are_counted_by_message() -> None:
    other = line("msg-3", "attempt_done").replace(b"done", b"done after attempt_unknown")
    assert unknown_in(line("msg-1") + line("msg-2") + other + b"plain attempt_unknown\n" + line("msg-1")) == {
        "msg-1": 2, "msg-2": 1,
    }  # fmt: skip


def test_a_log_is_followed_through_its_end_and_its_emptying(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    log, tail = logs / "egress.log", Tail(logs, tmp_path / "copies")
    tail.look()
    log.write_bytes(line("msg-0") + line("msg-1") + line("msg-2")[:10])
    tail.look()
    log.write_bytes(line("msg-0") + line("msg-1") + line("msg-2") + line("msg-3"))
    (logs / "egress.log.1").write_bytes(log.read_bytes())
    log.write_bytes(line("msg-4"))
    tail.look()
    assert tail.unknown == dict.fromkeys((f"msg-{n}" for n in range(5)), 1)
    assert (tmp_path / "copies" / "egress.log").read_bytes() == b"".join(line(f"msg-{n}") for n in range(5))
