"""A child process on the real kernel: its end, its output, and the tie to its supervisor."""

import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from deploy.local.process import Child, run_to_end

WAIT_MS = 5_000
SUPERVISOR = """
import sys, time
from pathlib import Path
from deploy.local.process import Child
child = Child("child", ("sleep", "60"), Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""


def shell(script: str, log_file: Path) -> Child:
    return Child("child", ("sh", "-c", script), log_file)


def wait_for_words(child: Child, word: str) -> None:
    deadline = time.monotonic() + WAIT_MS / 1000
    while word not in child.last_words():
        assert time.monotonic() < deadline, child.last_words()
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    deadline = time.monotonic() + WAIT_MS / 1000
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_its_status_and_last_words_are_kept_and_those_of_an_earlier_run_are_not_mixed_in(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    assert run_to_end(shell("echo first; exit 3", log), WAIT_MS) == 3
    child = shell("echo one; echo two >&2; echo three; exit 4", log)
    assert run_to_end(child, WAIT_MS) == 4
    assert child.last_words(2) == ("two", "three")
    assert child.last_words() == ("one", "two", "three")
    assert child.pid is None
    assert log.read_text(encoding="utf-8").startswith("first\n")
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_command_that_does_not_exist_is_an_exit_with_a_reason(tmp_path: Path) -> None:
    child = Child("child", ("/nowhere/program",), tmp_path / "log")
    assert run_to_end(child, WAIT_MS) == 127
    assert child.last_words() == ("cannot run /nowhere/program: No such file or directory",)


def test_it_leaves_by_its_stop_signal_and_is_killed_when_it_ignores_it(tmp_path: Path) -> None:
    polite = shell("trap 'exit 0' INT; echo ready; while :; do sleep 0.01; done", tmp_path / "a")
    polite.stop_signal = signal.SIGINT
    stubborn = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done", tmp_path / "b")
    for child in (polite, stubborn):
        child.start()
        wait_for_words(child, "ready")
    polite.stop(WAIT_MS)
    stubborn.stop(100)
    assert (polite.poll(), stubborn.poll()) == (0, -signal.SIGKILL)


def test_what_it_leaves_behind_in_its_process_group_is_killed_with_it(tmp_path: Path) -> None:
    child = shell("sleep 60 & echo $!", tmp_path / "log")
    assert run_to_end(child, WAIT_MS) == 0
    assert is_gone(int(child.last_words()[-1]))


def test_it_dies_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen(  # noqa: S603 - this file's own program
        [sys.executable, "-c", SUPERVISOR, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    with supervisor, supervisor.stdout:
        pid = int(supervisor.stdout.readline())
        assert psutil.pid_exists(pid)
        supervisor.kill()
    assert is_gone(pid)


def test_its_log_is_bounded_to_one_older_generation(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = shell("while :; do echo 0123456789; sleep 0.001; done", log)
    child.log_limit_bytes = 2_000
    child.start()
    deadline = time.monotonic() + WAIT_MS / 1000
    while not log.with_name("log.1").exists():
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.stop(0)
    assert log.stat().st_size < 4_000
    assert log.with_name("log.1").read_text(encoding="ascii").startswith("0123456789\n")


def test_as_root_it_becomes_the_user_it_is_given_and_as_another_it_stays_who_one_is(tmp_path: Path) -> None:
    user = "nobody" if os.geteuid() == 0 else None
    child = Child("child", ("id", "-u"), tmp_path / "log", user=user)
    assert run_to_end(child, WAIT_MS) == 0
    assert child.last_words() == (str(pwd.getpwnam(user).pw_uid if user else os.geteuid()),)
