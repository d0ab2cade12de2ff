"""The settings of the demo, and what is understood of a stack that starts."""

import json
from pathlib import Path

from streams.demo.stack import CONFIG, Stack, settings_file, told_of
from streams.demo.world import MAIN, SLOW, SMALL, SUSPENDED
from streams.settings.load import parse
from streams.settings.resolve import SANDBOX_SMS_PRICE_MICROS


def test_the_settings_are_right_simulated_and_have_the_tenants_that_the_scenarios_need(tmp_path: Path) -> None:
    settings = parse(settings_file(), CONFIG, tmp_path)
    tenants = {one.name: one for one in settings.tenants}
    assert settings.simulated
    assert set(tenants) == {MAIN, SUSPENDED, SLOW, SMALL}
    assert tenants[SUSPENDED].status == "suspended"
    assert tenants[SLOW].rate_per_s == 1
    assert tenants[SMALL].balance_micros < SANDBOX_SMS_PRICE_MICROS


def test_only_lines_about_processes_that_are_ready_are_told() -> None:
    ready = json.dumps({"event": "ready", "name": "kafka", "elapsed_ms": 1_600})
    assert told_of(ready) == "kafka is ready after 1.6 s"
    assert told_of(json.dumps({"event": "started", "name": "kafka"})) == ""
    assert told_of(ready[:20]) == ""
    assert told_of("hermes: some words") == ""


def test_a_process_that_the_ready_file_does_not_name_is_none_and_is_not_killed(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    assert stack.pid("pipeline") == 0
    assert stack.kill("pipeline") == 0
