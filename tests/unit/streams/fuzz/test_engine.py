"""The fuzzer itself: what it finds, and that the same seed finds it again."""

import time
from pathlib import Path
from random import Random

import pytest

from domain.errors import ConfigError
from streams import fuzz
from streams.fuzz.command import campaign, replayed
from streams.fuzz.engine import Limits, replay
from streams.fuzz.engine import fuzz as run
from streams.fuzz.mutate import MAX_OCTETS, input_of
from streams.fuzz.target import Target, expect
from streams.fuzz.targets import TARGETS

FAR_S = time.monotonic() + 3_600


def target(name: str = "t", *, fails_on: bytes = b"") -> Target:
    """One that fails on inputs that begin like this."""

    def look(octets: bytes) -> None:
        expect(not fails_on or not octets.startswith(fails_on), "it begins badly")

    return Target(name, look, (b"good\nline", b"bad"))


def test_the_same_seed_makes_the_same_inputs_and_another_one_others() -> None:
    one = [input_of(TARGETS["smpp-codec"], 1, number) for number in range(50)]
    assert one == [input_of(TARGETS["smpp-codec"], 1, number) for number in range(50)]
    assert one != [input_of(TARGETS["smpp-codec"], 2, number) for number in range(50)]
    assert one != [input_of(TARGETS["smpp-session"], 1, number) for number in range(50)]


def test_inputs_have_a_limit() -> None:
    long = Target("t", lambda _octets: None, (b"x" * 3 * MAX_OCTETS,), (), lambda chance: chance.randbytes(70_000))
    assert all(len(input_of(long, 1, number)) <= MAX_OCTETS for number in range(50))


def test_an_empty_seed_can_be_altered() -> None:
    empty = Target("t", lambda _octets: None, (b"",))
    assert any(input_of(empty, 1, number) for number in range(50))


def test_a_property_that_does_not_hold_is_found_once() -> None:
    known: set[str] = set()
    score = run(target(fails_on=b"b"), 1, 200, FAR_S, known)
    (finding,) = score.findings
    assert (score.inputs, finding.what) == (200, "PropertyError: it begins badly")
    assert input_of(target(), 1, finding.number) == finding.octets
    assert replay(target(fails_on=b"b"), finding.octets) is not None
    assert run(target(fails_on=b"b"), 1, 200, FAR_S, known).findings == []


def test_a_target_that_fails_in_many_ways_is_left_alone() -> None:
    def fail(octets: bytes) -> None:
        raise type(f"Error{Random(octets).randrange(1_000)}", (ValueError,), {})  # noqa: S311 - any name will do

    assert run(Target("t", fail, (b"abc",)), 1, 200, FAR_S, set(), limits=Limits(findings=3)).inputs < 200


def test_what_takes_long_or_never_ends_is_found() -> None:
    def busy(_octets: bytes) -> None:
        until = time.process_time() + 0.05
        while time.process_time() < until:
            sum(range(1_000))

    slow = replay(Target("t", busy, (b"",)), b"", Limits(cpu_ms=5))
    assert slow is not None
    assert slow.what.startswith("slow: ")
    endless = replay(Target("t", busy, (b"",)), b"", Limits(hang_cpu_s=0.01))
    assert endless is not None
    assert endless.what.startswith("hang: ")


def test_what_takes_memory_is_found() -> None:
    score = run(target(), 1, 5, FAR_S, set(), limits=Limits(growth=-1))
    assert [one.what.partition(":")[0] for one in score.findings] == ["memory"]
    assert (
        run(target(), 1, 5, FAR_S, set(), limits=Limits(total_growth=-1)).findings[0].what
        == "memory: it grows and grows"
    )


def test_a_coroutine_is_a_target_too() -> None:
    async def look(octets: bytes) -> None:
        expect(octets != b"bad", "bad")

    assert replay(Target("t", look, (b"",)), b"good") is None
    assert replay(Target("t", look, (b"",)), b"bad") is not None


def test_time_that_is_over_ends_a_run() -> None:
    assert run(target(), 1, 100, 0, set()).inputs == 0


def test_a_run_prints_its_scores_and_keeps_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign([target("fine"), target("weak", fails_on=b"b")], 7, 60, 400, tmp_path) == 1
    out = capsys.readouterr().out
    assert "seed 7\n" in out
    assert "400 inputs, 1 findings" in out
    (kept,) = tmp_path.glob("weak-7-*.bin")
    assert kept.read_bytes().startswith(b"b")
    note = kept.with_suffix(".txt").read_text()
    assert f"hermes fuzz --only weak --replay {kept}" in note
    assert "PropertyError: it begins badly" in note
    assert replayed([target("weak", fails_on=b"b")], kept) == 1
    assert replayed([target("weak")], kept) == 0


def test_every_target_stands_a_few_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["--inputs", str(20 * len(TARGETS)), "--findings", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert all(f"\n{name} " in out for name in TARGETS)


def test_files_of_a_corpus_are_seeds(tmp_path: Path) -> None:
    (tmp_path / "udh").mkdir()
    (tmp_path / "udh" / "one").write_bytes(b"\x03\x00")
    assert fuzz.main(["--inputs", "8", "--only", "udh", "--corpus", str(tmp_path), "--findings", str(tmp_path)]) == 0


def test_a_file_is_given_to_a_target_again(tmp_path: Path) -> None:
    path = tmp_path / "one.bin"
    path.write_bytes(b"id:1")
    assert fuzz.main(["--only", "receipt", "--replay", str(path)]) == 0


@pytest.mark.parametrize("arguments", [["--only", "nothing"], ["--only", "udh", "--replay", "/nonexistent/file"]])
def test_what_is_not_there_is_the_users_error(arguments: list[str]) -> None:
    with pytest.raises(ConfigError):
        fuzz.main(arguments)
