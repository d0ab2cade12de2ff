"""What people and machines are shown."""

import io
from pathlib import Path

from rich.console import Console

from streams.demo.expectations import Expectation, Line, Result
from streams.demo.report import report
from streams.demo.screen import TableScreen
from streams.demo.story import sentence, tell, where_next

GOOD = Result(
    "mail", 300, (Expectation("it arrives", True, "yes"),), (Line("msg-1", 55, "delivered", 1, "email", "default"),)
)
BAD = Result("sms", 400, (Expectation("it arrives", False, "no"),), ())


def console() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, soft_wrap=True, width=200), out


def test_the_report_is_ok_only_when_every_scenario_is_and_there_is_one() -> None:
    assert report([GOOD], 1_000)["ok"] is True
    assert report([GOOD, BAD], 1_000)["ok"] is False
    assert report([], 1_000)["ok"] is False


def test_the_report_has_expectations_and_timeline_of_each_scenario() -> None:
    assert report([GOOD], 1_000) == {
        "ok": True,
        "took_ms": 1_000,
        "scenarios": [
            {
                "name": "mail",
                "ok": True,
                "took_ms": 300,
                "expectations": [{"what": "it arrives", "ok": True, "got": "yes"}],
                "timeline": [
                    {
                        "message_id": "msg-1",
                        "after_ms": 55,
                        "event": "delivered",
                        "attempt": 1,
                        "channel": "email",
                        "detail": "default",
                    }
                ],
            }
        ],
    }


def test_the_story_has_timelines_a_sentence_for_each_failure_and_where_to_look_next() -> None:
    screen, out = console()
    tell(screen, [GOOD, BAD], 2_000, None)
    shown = out.getvalue()
    assert "mail  msg-1" in shown
    assert "FAILED  sms: expected that it arrives, but got no." in shown
    assert "1 of 2 expectations in 2 scenarios held; it took 2.0 s." in shown
    assert "hermes up" in shown


def test_a_line_of_a_timeline_has_its_time_event_attempt_and_detail() -> None:
    assert sentence(GOOD.timeline[0]) == "+  0.055 s  delivered            1 email    default"
    assert sentence(Line("msg-1", 0, "accepted", 0, "", "")) == "+  0.000 s  accepted"


def test_a_state_that_is_kept_is_named() -> None:
    assert "hermes up --state /s --config /s/demo.toml" in where_next(Path("/s"))[1]


def test_the_table_fills_while_it_runs() -> None:
    screen, out = console()
    table = TableScreen(screen)
    table.say("kafka is ready after 1.6 s")
    screen.print(table.table())
    assert "kafka is ready" in out.getvalue()
    table.begin(["mail", "sms"])
    table.began("mail")
    table.finished(GOOD)
    table.began("sms")
    screen.print(table.table())
    assert "✓" in out.getvalue()
    assert "…" in out.getvalue()
    assert "0.30 s" in out.getvalue()
