"""The lock of the jars: which files make up the broker, with size and SHA-256 of each.

`python -m deploy.local.lock` resolves `ENDPOINT` again and rewrites `kafka.lock`; the lock is then read in review like any
other change of a dependency. Everything else only reads it.
"""

import hashlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

KAFKA_VERSION = "4.3.1"
# The log4j that Kafka 4.3 is released with. The `!` keeps log4j's own dependency management out of the resolution: with
# it, the resolver would take kafka-clients 3.9 and other libraries that log4j's tests use.
ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!"
LOCK_FILE = Path(__file__).with_name("kafka.lock")
COLUMNS = 3


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked jar.

    Attributes:
        coordinate: `group:artifact:version`, the jar of no classifier.
        size: bytes.
        sha256: lower-case hex.
    """

    coordinate: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """The name Maven gives the file."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def read_lock(lock_file: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """Give the locked jars in the order of the file.

    Raises:
        ValueError: a line is not `sha256 size group:artifact:version`, or two jars have one file name.
    """
    jars = []
    for line in lock_file.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        words = line.split()
        if len(words) != COLUMNS or words[2].count(":") != COLUMNS - 1:
            raise ValueError(f"{lock_file.name}: not `sha256 size group:artifact:version`: {line}")
        jars.append(Jar(coordinate=words[2], size=int(words[1]), sha256=words[0]))
    if len({jar.file_name for jar in jars}) != len(jars):
        raise ValueError(f"{lock_file.name}: two jars have one file name")
    return tuple(jars)


def sha256_of(path: Path) -> str:
    """Give the SHA-256 of a file as lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resolve() -> tuple[Jar, ...]:
    """Ask Maven Central for `ENDPOINT` and all it needs at run time, and give what was found, sorted by coordinate."""
    import jgo  # noqa: PLC0415 - a fifth of a second that only this rare command needs
    from jgo.maven import MavenContext  # noqa: PLC0415 - the same

    coordinates = sorted({f"{a.groupId}:{a.artifactId}:{a.version}" for a in jgo.resolve(ENDPOINT)})
    jars = []
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder))
        for coordinate in coordinates:
            group, artifact, version = coordinate.split(":")
            path = Path(context.project(group, artifact).at_version(version).artifact().resolve())
            jars.append(Jar(coordinate, path.stat().st_size, sha256_of(path)))
    return tuple(jars)


def write_lock(jars: tuple[Jar, ...], lock_file: Path = LOCK_FILE) -> None:
    """Write the jars as `read_lock` reads them."""
    head = f"# Jars of {ENDPOINT}\n# sha256, bytes, coordinate. Rewrite with: python -m deploy.local.lock\n"
    lines = "".join(f"{jar.sha256} {jar.size:>9} {jar.coordinate}\n" for jar in jars)
    lock_file.write_text(head + lines, encoding="utf-8")


if __name__ == "__main__":
    locked = resolve()
    write_lock(locked)
    sys.stderr.write(f"{LOCK_FILE.name}: {len(locked)} jars, {sum(jar.size for jar in locked)} bytes\n")
