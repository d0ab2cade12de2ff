"""`hermes up` on this machine: everything answers, a killed role comes back, a second start goes on, a stop is quick."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.supervisor import STOP_WITHIN_MS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

READY_WITHIN_S = 90.0
POLL_S = 0.1
REQUEST_TIMEOUT_S = 5.0
CONFIG = """
[gateway]
http_port = 0
smpp_port = 0
smtp_port = 0
[[tenants]]
name = "Acme"
tier = "business"
balance_micros = 7_000_000
"""
ROLES = {"gateway", "pipeline", "egress", "archive", "insight"}


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can reach, with a settings file."""
    with tempfile.TemporaryDirectory(prefix="hermes-up-") as folder:
        (Path(folder) / "hermes.toml").write_text(CONFIG)
        yield Path(folder)


def start(home: Path) -> "subprocess.Popen[bytes]":
    command = (sys.executable, "-P", "-m", "streams.cli", "up", "--json", "--config", "hermes.toml")
    with (home / "out").open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--state", "state", "--ready-file", "ready.json"], cwd=home, stdout=out, stderr=out
        )


def ready(home: Path, process: "subprocess.Popen[bytes]", unlike: dict[str, int] | None = None) -> dict[str, Any]:
    """The ready file, once it is there and, with `unlike`, once none of these processes is in it."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        if (home / "ready.json").exists():
            found: dict[str, Any] = json.loads((home / "ready.json").read_text())
            if not set((unlike or {}).values()) & set(found["processes"].values()):
                return found
        time.sleep(POLL_S)
    raise AssertionError((home / "out").read_text())


def balance(found: dict[str, Any]) -> int:
    request = urllib.request.Request(
        f"http://{found['http']}/v1/tenants/me",
        headers={"Authorization": f"Bearer {found['tenants'][0]['api_key']}"},
    )
    with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as answer:  # noqa: S310 - the same
        micros: int = json.load(answer)["balance"]["granted_micros"]
    return micros


def stop(process: "subprocess.Popen[bytes]") -> float:
    """Seconds that a stop by SIGTERM took; it ended well."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOP_WITHIN_MS / 1000 + 5) == 0
    return time.monotonic() - began


def test_everything_answers_comes_back_after_kill_goes_on_after_a_stop_and_stops_in_time(home: Path) -> None:
    process = start(home)
    try:
        first = ready(home, process)
        assert set(first["processes"]) >= ROLES | {"kafka", "postgres", "sandbox-carrier", "sandbox-mx"}
        assert [tenant["name"] for tenant in first["tenants"]] == ["Acme"]
        assert (home / "ready.json").stat().st_mode & 0o777 == 0o600
        assert balance(first) == 7_000_000

        killed = {name: first["processes"][name] for name in ("gateway", "archive")}
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)
        again = ready(home, process, unlike=killed)
        assert again["http"] == first["http"]
        assert again["processes"]["kafka"] == first["processes"]["kafka"]

        process.kill()  # the supervisor itself: its children go with it
        process.wait()
        process = start(home)
        second = ready(home, process, unlike=again["processes"])
        assert second["tenants"] == first["tenants"]
        assert (second["http"], second["kafka"]) == (first["http"], first["kafka"])
        assert balance(second) == 7_000_000
        assert stop(process) <= STOP_WITHIN_MS / 1000
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
