"""The state directory: made private, and held by one supervisor at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import LocalStackError, StateInUseError


@contextmanager
def hold(state_dir: Path) -> Iterator[Path]:
    """Make the directory if it is not there, hold it while the block runs, and give its absolute path.

    The hold is a lock of the kernel on `<state_dir>/lock`: it falls when the process ends, even by SIGKILL, and is not
    passed on to child processes.

    Raises:
        StateInUseError: another process holds it.
        LocalStackError: it cannot be made or written.
    """
    path = state_dir.absolute()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LocalStackError(f"the state directory {path} cannot be used: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise StateInUseError(
                f"the state directory {path} is in use by another Hermes (process {holder}): stop it, or give another --state"
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
        yield path
    finally:
        os.close(handle)
