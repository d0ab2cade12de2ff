"""PostgreSQL 18 on this machine: our own child on 127.0.0.1, a generated password, its data under the state directory."""

import os
import secrets
import shutil
import signal
from pathlib import Path

from deploy.local import ports
from deploy.local.errors import ServerFailedError
from deploy.local.pgwheel import Installation, give, installation, make_reachable
from deploy.local.process import Child, run_to_end
from deploy.local.server import LAST_WORDS_LINES, wait_until_ready
from deploy.local.stale import clear_leftovers

ROLE = DATABASE = "hermes"
INIT_TIMEOUT_MS = 60_000
PASSWORD_BYTES = 24
STATUS_LINE = 7  # of postmaster.pid, counted from 0
# https://www.postgresql.org/docs/18/runtime-config.html
SETTINGS = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # neither statements nor the values of rows, which may be message bodies or keys
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}


class Postgres:
    """The database server of one state directory; `start` may be called again after it has ended."""

    def __init__(self, state_dir: Path, port: int | None = None) -> None:
        """Touch nothing yet; `state_dir` holds postgres/, logs/ and ports.json, `port` None is the remembered or a free."""
        self._state_dir = state_dir.absolute()
        self._home = self._state_dir / "postgres"
        self._data = self._home / "data"
        self._fixed_port = port
        self._port = port or ports.read_ports(self._state_dir).get("postgres")
        self._child: Child | None = None

    @property
    def dsn(self) -> str:
        """`postgresql://…` with the password: not for logs; known once it was started for the first time.

        Raises:
            ServerFailedError: it never was started.
        """
        try:
            password = (self._home / "password").read_text(encoding="ascii")
        except FileNotFoundError as error:
            raise ServerFailedError("PostgreSQL has no password before its first start") from error
        return f"postgresql://{ROLE}:{password}@{ports.HOST}:{self._port}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster while it runs, else None."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the postmaster, after making the cluster and the database when there are none.

        As root it runs as the system user that the wheel makes, and the folders above the data become searchable
        (`o+x`) for it.

        Raises:
            LocalStackError: a fixed port is taken, no system user could be made, or the cluster could not be made.
        """
        if self._child is not None and self._child.poll() is None:
            raise RuntimeError("PostgreSQL runs already")
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        where = installation(self._data)
        make_reachable(where, self._home)
        # a server that comes back comes back where its clients look for it
        self._port = self._fixed_port = ports.assign(self._state_dir, "postgres", self._fixed_port)
        if not (self._data / "PG_VERSION").exists():
            self._make_cluster(where)
        clear_leftovers(self._data)
        options = {**SETTINGS, "port": str(self._port)}
        arguments = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        # SIGINT is its fast shutdown, SIGQUIT its immediate one, in which it takes its backends along.
        self._child = self._program(where, "postgres", "-D", str(self._data), *arguments)
        self._child.stop_signal, self._child.death_signal = signal.SIGINT, signal.SIGQUIT
        self._child.start()

    def is_ready(self) -> bool:
        """Say whether this postmaster has written that it accepts connections (as `pg_ctl` asks)."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return self.pid is not None and lines[:1] == [str(self.pid)] and lines[STATUS_LINE:][:1] == ["ready   "]

    def wait_ready(self, timeout_ms: int) -> None:
        """Return when it accepts connections.

        Raises:
            ServerFailedError: it exited, or `timeout_ms` passed.
        """
        wait_until_ready(self, "PostgreSQL", timeout_ms)

    def poll(self) -> int | None:
        """Give the exit status (negative: the signal), or None while it runs."""
        return self._child.poll() if self._child else None

    def terminate(self) -> None:
        """Ask for a fast shutdown, without waiting."""
        if self._child:
            self._child.terminate()

    def kill(self) -> None:
        """Kill it, without waiting; what was committed is in its files."""
        if self._child:
            self._child.kill()

    def stop(self, grace_ms: int) -> None:
        """Have it gone: SIGINT, up to `grace_ms` for the fast shutdown, then SIGKILL."""
        if self._child:
            self._child.stop(grace_ms)

    def last_words(self, lines: int = 20) -> tuple[str, ...]:
        """Give the last lines of its log, oldest first."""
        return self._child.last_words(lines) if self._child else ()

    def _make_cluster(self, where: Installation) -> None:
        """Make the cluster and its database aside and move it in place, so that a killed one leaves nothing half done."""
        fresh, password_file, sql = self._home / "data.new", self._home / "initdb.pw", self._home / "create.sql"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        give(fresh, where.user)
        password = secrets.token_hex(PASSWORD_BYTES)
        try:
            _write_private(password_file, password)
            give(password_file, where.user)
            # C.UTF-8 of the builtin provider sorts alike on every machine
            locale = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C", "--builtin-locale=C.UTF-8")
            auth = ("--auth=scram-sha-256", f"--username={ROLE}", f"--pwfile={password_file}")
            self._run(self._program(where, "initdb", *locale, *auth, "-D", str(fresh)))
        finally:
            password_file.unlink(missing_ok=True)
        sql.write_text(f"CREATE DATABASE {DATABASE};\n", encoding="ascii")
        single = self._program(where, "postgres", "--single", "-D", str(fresh), "postgres")
        single.name, single.input_file = "postgres --single", sql
        self._run(single)
        sql.unlink()
        _write_private(self._home / "password", password)
        fresh.replace(self._data)

    def _run(self, program: Child) -> None:
        status = run_to_end(program, INIT_TIMEOUT_MS)
        if status != 0:
            words = "\n  ".join(program.last_words(LAST_WORDS_LINES))
            raise ServerFailedError(f"PostgreSQL: {program.name} failed (status {status}):\n  {words}")

    def _program(self, where: Installation, program: str, *arguments: str) -> Child:
        ours = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
        return Child(
            name=program,
            command=(str(where.bin_dir / program), *arguments),
            log_file=self._state_dir / "logs" / "postgres.log",
            env={**ours, "LC_ALL": "C"},
            cwd=self._home,
            user=where.user,
        )


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, from the first byte on."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
