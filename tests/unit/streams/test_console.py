"""What `hermes up` prints: no secret, no control character, every event for programs."""

import io
import json
from pathlib import Path
from typing import Any

from deploy.local.events import Event
from streams.console import JsonConsole, PeopleConsole

DOCUMENT: dict[str, Any] = {
    "http": "127.0.0.1:8080",
    "smpp": "127.0.0.1:2775",
    "smtp": None,
    "insight": "127.0.0.1:9000",
    "metrics": "127.0.0.1:8080",
    "metrics_by_role": {"gateway": "127.0.0.1:8080"},
    "kafka": "127.0.0.1:9092",
    "postgres": "postgresql://hermes:s3cret@127.0.0.1:5432/hermes",
    "processes": {"kafka": 1},
    "state": "/state",
    "tenants": [{"name": "Acme", "tier": "starter", "api_key": "hk_live_s3cret"}],
}
DEAD = Event("exited", "gateway", 0, 7, -9, 1_500, last_words=("Traceback", "\x1b[2Jboom [red]"))


def test_people_see_addresses_and_where_the_keys_are_but_no_secret() -> None:
    out = io.StringIO()

    PeopleConsole(out).up(DOCUMENT, 8_100, Path("ready.json"))

    told = out.getvalue()
    assert "up after 8.1 s" in told
    assert "127.0.0.1:5432/hermes" in told
    assert "ready.json" in told
    assert "Acme (starter)" in told
    assert "s3cret" not in told


def test_people_see_the_last_words_of_what_exited_without_control_characters() -> None:
    out = io.StringIO()
    console = PeopleConsole(out)

    console.event(DEAD)
    console.event(Event("waiting", "gateway", 0, delay_ms=400))

    told = out.getvalue()
    assert "exited with signal 9" in told
    assert "boom [red]" in told
    assert "starts again in 0.4 s" in told
    assert "\x1b" not in told


def test_programs_get_one_object_a_line_without_secrets() -> None:
    out = io.StringIO()
    console = JsonConsole(out)

    console.event(DEAD)
    console.up(DOCUMENT, 8_100, Path("ready.json"))
    console.stopped(0)

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["exited", "up", "end"]
    assert lines[0]["status"] == -9
    assert lines[1]["http"] == "127.0.0.1:8080"
    assert "s3cret" not in out.getvalue()
