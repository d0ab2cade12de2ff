"""A child process: it dies with its supervisor, its output is kept in a bounded file, and it can be asked to leave."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOG_LIMIT_BYTES = 8 * 1024 * 1024
LAST_WORDS_BYTES = 16 * 1024
POLL_MS = 20
KILL_WAIT_MS = 5_000
_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(slots=True)
class Child:
    """A command that runs as leader of its own session.

    Start it from a thread that lives as long as the child should: the kernel's tie (see launcher.py) is to that thread.

    Attributes:
        name: what it is called in reports.
        command: program and arguments; no shell is involved.
        log_file: standard output and error are appended here. When it is larger than `log_limit_bytes` at a poll, it
            moves to `<log_file>.1` (one generation) and starts empty, so both never hold much more than twice that.
        env: the whole environment, or None for the supervisor's own.
        input_file: what it reads as standard input, or None for nothing.
        user: system user to become (only root can), or None.
        stop_signal: what asks it to leave.
        death_signal: what the kernel sends it when the supervisor is gone.
    """

    name: str
    command: Sequence[str]
    log_file: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    input_file: Path | None = None
    user: str | None = None
    stop_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGKILL
    log_limit_bytes: int = LOG_LIMIT_BYTES
    _popen: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _log_start: int = field(default=0, repr=False)

    def start(self) -> None:
        """Start the command; it runs when this returns, though it may not be ready.

        Raises:
            RuntimeError: it runs already.
            OSError: no process or log file can be made.
        """
        if self._popen is not None and self.poll() is None:
            raise RuntimeError(f"{self.name} runs already")
        self.log_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        launch = [sys.executable, "-I", "-S", str(_LAUNCHER)]
        tie = [str(os.getpid()), str(int(self.death_signal)), self.user or ""]
        # O_APPEND: after the file is emptied, the child goes on writing at its new end
        search = None if self.env is None else self.env.get("PATH")
        program = shutil.which(self.command[0], path=search) or self.command[0]  # not found: the launcher says so
        with contextlib.ExitStack() as files:
            log = os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            files.callback(os.close, log)
            given = files.enter_context(self.input_file.open("rb")) if self.input_file else None
            self._log_start = os.fstat(log).st_size
            self._popen = subprocess.Popen(  # noqa: S603 - commands come from the supervisor's own code, no shell
                [*launch, *tie, program, *self.command[1:]],
                stdin=given if given else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=None if self.env is None else dict(self.env),
                cwd=self.cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._popen.pid if self._popen is not None and self._popen.returncode is None else None

    def poll(self) -> int | None:
        """Give the exit status (negative: killed by that signal), or None while it runs or before it was started.

        When it has just exited, what is left of its process group is killed before its id can be used again.
        """
        popen = self._popen
        if popen is None:
            return None
        if popen.returncode is None:
            if _has_exited(popen.pid):
                _signal_group(popen.pid, signal.SIGKILL)
                popen.wait()
            else:
                self._bound_log()
        return popen.returncode

    def terminate(self) -> None:
        """Ask it to leave by its stop signal; nothing happens when it does not run."""
        if self._popen is not None and self.poll() is None:
            self._popen.send_signal(self.stop_signal)

    def kill(self) -> None:
        """Kill it and its process group by SIGKILL; nothing happens when it does not run."""
        if self._popen is not None and self.poll() is None:
            _signal_group(self._popen.pid, signal.SIGKILL)

    def stop(self, grace_ms: int) -> None:
        """Have it gone: ask, wait up to `grace_ms`, then kill.

        Raises:
            TimeoutError: it is still there `KILL_WAIT_MS` after SIGKILL (stuck in the kernel).
        """
        self.terminate()
        if not self._gone_within(grace_ms):
            self.kill()
            if not self._gone_within(KILL_WAIT_MS):
                raise TimeoutError(f"{self.name} did not end {KILL_WAIT_MS} ms after SIGKILL")

    def last_words(self, lines: int = 20) -> tuple[str, ...]:
        """Give the last lines this run wrote, oldest first, at most `lines` of them out of the last 16 KiB."""
        try:
            with self.log_file.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                since = self._log_start if self._log_start <= size else 0
                log.seek(max(since, size - LAST_WORDS_BYTES))
                written = log.read(LAST_WORDS_BYTES)
        except FileNotFoundError:
            return ()
        return tuple(written.decode("utf-8", "replace").splitlines()[-lines:]) if lines > 0 else ()

    def _gone_within(self, wait_ms: int) -> bool:
        deadline = time.monotonic() + wait_ms / 1000
        while self._popen is not None and self.poll() is None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_MS / 1000)
        return True

    def _bound_log(self) -> None:
        try:
            if self.log_file.stat().st_size <= self.log_limit_bytes:
                return
        except FileNotFoundError:  # somebody tidied up; the child writes on into the nameless file
            return
        # Copied and emptied, not renamed: the child holds the file open. Lines written in between are lost.
        shutil.copyfile(self.log_file, self.log_file.with_name(self.log_file.name + ".1"))
        os.truncate(self.log_file, 0)
        self._log_start = 0


def _has_exited(pid: int) -> bool:
    """Say whether our child `pid` has exited, and leave it unreaped so that its id stays taken."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left in it, or only a process that changed its user and ends with its leader


def run_to_end(child: Child, timeout_ms: int) -> int:
    """Start `child`, wait for its end and give its exit status; after `timeout_ms` it is killed (status -9)."""
    child.start()
    deadline = time.monotonic() + timeout_ms / 1000
    while (status := child.poll()) is None:
        if time.monotonic() >= deadline:
            child.kill()
        time.sleep(POLL_MS / 1000)
    return status
