"""Run by path in a new process: tie it to its parent's life, become another user if asked, then become the command.

Usage: `python -I -S launcher.py PARENT_PID DEATH_SIGNAL USER COMMAND [ARGUMENT ...]`, USER empty to stay who one is, COMMAND
a path.

The tie is Linux's `PR_SET_PDEATHSIG`: the kernel sends DEATH_SIGNAL when the thread that started this process ends, even
by SIGKILL. It has to be set after the change of user (which clears it) and in the process itself. `preexec_fn` could do
that too, but it runs Python between fork and exec, which may deadlock when the parent has threads; a process of its own
cannot. Elsewhere than on Linux there is no tie, and the supervisor's own stop is all there is.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1
EXIT_ORPHANED = 125
EXIT_NOT_FOUND = 127


def main(arguments: list[str]) -> None:
    """Become the command; the exit status is 125 when the parent is gone, 127 when the command cannot be run."""
    parent, death_signal, user, *command = arguments
    if user:
        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(death_signal)) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != int(parent):  # the parent died before the tie was made
        sys.exit(EXIT_ORPHANED)
    try:
        # not execvp, which imports as it searches: the new user may not be allowed to read Python's own library
        os.execv(command[0], command)  # noqa: S606 - the command comes from the supervisor's own code, no shell
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error.strerror}\n")
        sys.exit(EXIT_NOT_FOUND)


if __name__ == "__main__":
    main(sys.argv[1:])
