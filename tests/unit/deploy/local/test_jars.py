"""Jars come once, only the locked ones, and a registry that is away is told in one sentence."""

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.local.errors import LocalStackError, RegistryUnreachableError
from deploy.local.jars import Progressed, cache_dir, class_path
from deploy.local.lock import ENDPOINT, KAFKA_VERSION, Jar, read_lock, write_lock

CONTENTS = {"org.example:one:1.0": b"first jar", "org.example:two:2.0": b"the second jar"}
JARS = tuple(Jar(name, len(body), hashlib.sha256(body).hexdigest()) for name, body in CONTENTS.items())


@dataclass
class FakeRegistry:
    contents: dict[str, bytes] = field(default_factory=lambda: dict(CONTENTS))
    asked: list[str] = field(default_factory=list)

    def fetch(self, jar: Jar, folder: Path, progressed: Progressed) -> Path:
        self.asked.append(jar.coordinate)
        if jar.coordinate not in self.contents:
            raise RegistryUnreachableError(f"{jar.file_name} did not come")
        path = folder / jar.file_name
        path.write_bytes(self.contents[jar.coordinate])
        progressed(jar.size)
        return path


def test_missing_jars_are_brought_once_and_the_class_path_has_all_in_order(tmp_path: Path) -> None:
    registry, output = FakeRegistry(), io.StringIO()

    first = class_path(tmp_path, output, registry, JARS)
    second = class_path(tmp_path, output, registry, JARS)

    assert first == second == tuple(tmp_path / f"kafka-{KAFKA_VERSION}" / jar.file_name for jar in JARS)
    assert [path.read_bytes() for path in first] == list(CONTENTS.values())
    assert sorted(registry.asked) == sorted(CONTENTS)
    assert output.getvalue().count("\n") == 2


def test_a_jar_of_another_size_is_brought_again(tmp_path: Path) -> None:
    first, _ = class_path(tmp_path, io.StringIO(), FakeRegistry(), JARS)
    first.write_bytes(b"cut")
    registry = FakeRegistry()

    class_path(tmp_path, io.StringIO(), registry, JARS)

    assert registry.asked == [JARS[0].coordinate]
    assert first.read_bytes() == CONTENTS[JARS[0].coordinate]


def test_what_a_killed_download_left_is_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / f"kafka-{KAFKA_VERSION}"
    (folder / ".incoming-killed").mkdir(parents=True)

    class_path(tmp_path, io.StringIO(), FakeRegistry(), JARS)

    assert sorted(path.name for path in folder.iterdir()) == [".lock", "one-1.0.jar", "two-2.0.jar"]


def test_a_jar_with_another_hash_never_reaches_the_cache(tmp_path: Path) -> None:
    forged = FakeRegistry({**CONTENTS, JARS[1].coordinate: b"the sEcond jar"})

    with pytest.raises(LocalStackError, match=r"two-2\.0\.jar came with another SHA-256"):
        class_path(tmp_path, io.StringIO(), forged, JARS)

    folder = tmp_path / f"kafka-{KAFKA_VERSION}"
    assert sorted(path.name for path in folder.iterdir()) in ([".lock", "one-1.0.jar"], [".lock"])


def test_an_unreachable_registry_is_one_sentence_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnreachableError) as raised:
        class_path(tmp_path, io.StringIO(), FakeRegistry({}), JARS)

    assert "--kafka host:port --postgres dsn" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_cache_that_cannot_be_written_says_which_setting_helps(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalStackError, match="HERMES_CACHE"):
        class_path(tmp_path / "file", io.StringIO(), FakeRegistry(), JARS)


def test_the_cache_is_where_the_environment_says(tmp_path: Path) -> None:
    assert cache_dir({"HERMES_CACHE": str(tmp_path), "XDG_CACHE_HOME": "/x"}) == tmp_path
    assert cache_dir({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "hermes"
    assert cache_dir({}) == Path.home() / ".cache" / "hermes"


def test_the_checked_in_lock_holds_one_version_of_kafka_and_a_released_log4j() -> None:
    versions = {jar.coordinate.rsplit(":", 1)[0]: jar.coordinate.rsplit(":", 1)[1] for jar in read_lock()}
    kafka = {name: version for name, version in versions.items() if name.startswith("org.apache.kafka:")}
    assert set(kafka.values()) == {KAFKA_VERSION}
    assert "org.apache.kafka:kafka-clients" in kafka
    assert versions["org.apache.logging.log4j:log4j-core"].startswith("2.")
    assert ENDPOINT.endswith("!")


def test_a_lock_reads_back_as_it_was_written_and_a_bad_line_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "kafka.lock"
    write_lock(JARS, lock)
    assert read_lock(lock) == JARS
    lock.write_text("abc 12\n", encoding="utf-8")
    with pytest.raises(ValueError, match="not `sha256 size"):
        read_lock(lock)
