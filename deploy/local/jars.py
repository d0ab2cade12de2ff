"""Brings the jars of Apache Kafka from Maven Central once, checks them against the lock, and gives the class path.

The lock, not the resolver, says which jars: no POM is read on a user's machine, and a jar whose SHA-256 is not the locked
one never reaches the cache. The files of a finished cache are checked by size at every start.
"""

import fcntl
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.local.errors import LocalStackError, RegistryUnreachableError
from deploy.local.lock import KAFKA_VERSION, Jar, read_lock, sha256_of

CONNECTIONS = 4
REQUEST_TIMEOUT_S = 10
DOWNLOAD_LIMIT_MS = 600_000
LOCK_WAIT_MS = 660_000
LOCK_POLL_MS = 200
INCOMING = ".incoming-"
WAY_OUT = "Or use servers that exist already: --kafka host:port --postgres dsn"

Progressed = Callable[[int], None]


class Registry(Protocol):
    """Where jars come from."""

    def fetch(self, jar: Jar, folder: Path, progressed: Progressed) -> Path:
        """Store `jar` under `folder` and give its path; `progressed` is told the bytes that came.

        Raises:
            RegistryUnreachableError: the registry does not answer, or has no such jar.
        """
        ...


class MavenCentral:
    """Maven Central over HTTPS, by jgo's pure-Python Maven client."""

    def fetch(self, jar: Jar, folder: Path, progressed: Progressed) -> Path:
        """Store `jar` under `folder`, stopping at its locked size; see `Registry`."""
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - 0.2 s that a filled cache never needs

        # jgo reports to this logger, and what matters is checked here
        logging.getLogger("jgo").addHandler(logging.NullHandler())
        came = 0

        def count(chunk: int) -> None:
            nonlocal came
            came += chunk
            if came > jar.size:
                raise RegistryUnreachableError(f"{jar.file_name} is larger than the locked {jar.size} bytes")
            progressed(chunk)

        @contextmanager
        def on_download(_name: str, _size: int) -> Iterator[Progressed]:
            yield count

        context = MavenContext(
            resolver=PythonResolver(progress_callback=on_download), repo_cache=folder, timeout=REQUEST_TIMEOUT_S
        )
        group, artifact, version = jar.coordinate.split(":")
        try:
            return Path(context.project(group, artifact).at_version(version).artifact().resolve())
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo says "not found" by RuntimeError
            reason = type(error).__name__ if isinstance(error, OSError) else "not found"
            raise RegistryUnreachableError(f"{jar.file_name} did not come from Maven Central ({reason})") from error


def cache_dir(env: Mapping[str, str] = os.environ) -> Path:
    """Give the user's cache folder: $HERMES_CACHE, or hermes under $XDG_CACHE_HOME or ~/.cache."""
    if env.get("HERMES_CACHE"):
        return Path(env["HERMES_CACHE"]).expanduser().absolute()
    base = Path(env["XDG_CACHE_HOME"]) if env.get("XDG_CACHE_HOME") else Path.home() / ".cache"
    return base.expanduser().absolute() / "hermes"


def class_path(
    cache: Path | None = None,
    output: TextIO | None = None,
    registry: Registry | None = None,
    jars: tuple[Jar, ...] | None = None,
) -> tuple[Path, ...]:
    """Give the paths of all jars of the broker, after bringing those that are missing; two processes may do it at once.

    Progress goes to `output` (standard error): a bar on a terminal, else one line at each end.

    Raises:
        RegistryUnreachableError: a jar is missing and did not come; the message has the way out.
        LocalStackError: a jar is not the locked one, or the cache cannot be written.
    """
    wanted = read_lock() if jars is None else jars
    folder = (cache_dir() if cache is None else cache) / f"kafka-{KAFKA_VERSION}"
    if _missing(wanted, folder):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _only_one(folder / ".lock"):
                missing = _missing(wanted, folder)  # another process may have brought them meanwhile
                if missing:
                    _bring(missing, folder, output or sys.stderr, registry or MavenCentral())
        except OSError as error:
            raise LocalStackError(
                f"the cache {folder} cannot be written ({error.strerror}): set HERMES_CACHE. {WAY_OUT}"
            ) from error
    return tuple(folder / jar.file_name for jar in wanted)


def _missing(wanted: tuple[Jar, ...], folder: Path) -> tuple[Jar, ...]:
    sizes = {entry.name: entry.stat().st_size for entry in os.scandir(folder)} if folder.is_dir() else {}
    return tuple(jar for jar in wanted if sizes.get(jar.file_name) != jar.size)


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Hold the cache's lock; it falls when the process ends, however it ends."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_WAIT_MS / 1000
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise LocalStackError(
                        f"another process has been filling {lock.parent} for {LOCK_WAIT_MS // 1000} s: end it, or set "
                        f"HERMES_CACHE. {WAY_OUT}"
                    ) from error
                time.sleep(LOCK_POLL_MS / 1000)
        yield
    finally:
        os.close(handle)


def _bring(missing: tuple[Jar, ...], folder: Path, output: TextIO, registry: Registry) -> None:
    deadline = time.monotonic() + DOWNLOAD_LIMIT_MS / 1000
    for left_behind in folder.glob(f"{INCOMING}*"):  # by a process that was killed; nobody else is here now
        shutil.rmtree(left_behind)
    with (
        _progress(missing, output) as told,
        tempfile.TemporaryDirectory(prefix=INCOMING, dir=folder) as incoming,
        ThreadPoolExecutor(CONNECTIONS) as pool,
    ):

        def progressed(chunk: int) -> None:
            if time.monotonic() > deadline:
                raise RegistryUnreachableError(f"the jars were not here after {DOWNLOAD_LIMIT_MS // 1000} s")
            told(chunk)

        def bring(jar: Jar) -> None:
            path = registry.fetch(jar, Path(incoming), progressed)
            if path.stat().st_size != jar.size or sha256_of(path) != jar.sha256:
                raise LocalStackError(
                    f"{jar.file_name} came with another SHA-256 than kafka.lock has; it was thrown away. {WAY_OUT}"
                )
            path.replace(folder / jar.file_name)

        coming = [pool.submit(bring, jar) for jar in missing]
        try:
            for future in coming:
                future.result()
        except RegistryUnreachableError as error:
            raise RegistryUnreachableError(
                f"{error}. Apache Kafka has to come once; try again later. {WAY_OUT}"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _progress(missing: tuple[Jar, ...], output: TextIO) -> Iterator[Progressed]:
    """Show the bytes that come, and give the function to tell them to."""
    total = sum(jar.size for jar in missing)
    if output.isatty():
        columns = (TextColumn("Apache Kafka " + KAFKA_VERSION), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(file=output), transient=True) as bar:
            task = bar.add_task("jars", total=total)
            yield lambda chunk: bar.advance(task, chunk)
        return
    began = time.monotonic()
    output.write(f"Apache Kafka {KAFKA_VERSION}: bringing {len(missing)} jars, {total >> 20} MB, from Maven Central\n")
    yield lambda _chunk: None
    output.write(f"Apache Kafka {KAFKA_VERSION}: here after {time.monotonic() - began:.1f} s\n")
