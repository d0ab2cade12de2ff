"""Clears what a killed PostgreSQL left: processes that still hold its data, and a lock file that names a stranger."""

from pathlib import Path

import psutil

from deploy.local.errors import ServerFailedError

LEAVE_WAIT_S = 3.0
KILL_WAIT_S = 5.0


def clear_leftovers(data_dir: Path) -> None:
    """Make sure that no server process works in `data_dir` and that its lock file does not stop a new postmaster.

    The caller holds the state directory, so such a process can only be an orphan. Backends end by themselves when their
    postmaster is gone; what has not ended after `LEAVE_WAIT_S` is killed. A lock file whose process is dead is left to
    PostgreSQL, which checks it against the shared memory; one that names a living stranger (ids are given again,
    in containers soon) is removed, for PostgreSQL would refuse to start.

    Raises:
        ServerFailedError: an orphan is there even after SIGKILL.
    """
    orphans = [process for process in psutil.process_iter() if _works_in(process, data_dir)]
    _gone, left = psutil.wait_procs(orphans, timeout=LEAVE_WAIT_S)
    for process in left:
        _kill(process)
    _gone, left = psutil.wait_procs(left, timeout=KILL_WAIT_S)
    if left:
        raise ServerFailedError(f"PostgreSQL process {left[0].pid} holds {data_dir} and cannot be killed")
    lock_file = data_dir / "postmaster.pid"
    named = _named_pid(lock_file)
    if named is not None and psutil.pid_exists(named):
        lock_file.unlink()


def _works_in(process: psutil.Process, data_dir: Path) -> bool:
    """Say whether it is a PostgreSQL process whose working directory is `data_dir`, as that of all of them is."""
    try:
        return process.name() == "postgres" and process.cwd() == str(data_dir)
    except psutil.Error:  # gone meanwhile, or another user's: not one of ours
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _named_pid(lock_file: Path) -> int | None:
    try:
        first = lock_file.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None
