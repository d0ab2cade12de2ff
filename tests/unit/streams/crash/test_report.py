"""What is told at the end, what is kept of a failure, and what the command line takes."""

from pathlib import Path

import pytest

from streams.crash.campaign import Outcome
from streams.crash.checks import check
from streams.crash.command import main, parser
from streams.crash.keep import concerned, lines_of
from streams.crash.plan import Blow
from streams.crash.prove import CAUGHT_BY, Proof
from streams.crash.report import document, lines, recoveries
from streams.crash.smpp import submit_of
from streams.crash.smtp import mail_of
from streams.crash.strike import Struck
from tests.unit.streams.crash.books import SMS, changed, good, told

KILL = Blow("kill", ("pipeline",))


def struck(recovered_ms: int | None) -> Struck:
    return Struck(KILL, 1_000, 1_000, (7,), recovered_ms)


def outcome(**wrong: object) -> Outcome:
    books = changed(**wrong) if wrong else good()
    return Outcome((struck(900), struck(1_500), struck(2_500)), tuple(check(books)), books, 3, 60.0, None)


def test_recoveries_are_told_by_kind() -> None:
    assert recoveries([struck(900), struck(2_500), struck(1_500)]) == {
        "kill pipeline": {"blows": 3, "p50_ms": 1_500, "max_ms": 2_500}
    }
    assert recoveries([struck(900), struck(None)])["kill pipeline"]["max_ms"] == -1


def test_a_clean_campaign_says_so_with_every_count() -> None:
    told_ = outcome()
    assert told_.ok
    assert document(5, told_)["ok"] is True
    assert not any("FAILED" in line for line in lines(told_))


def test_a_failure_is_told_with_whom_it_is_about() -> None:
    bad = outcome(finals={})
    assert not bad.ok
    assert any(f"{SMS} has 0 final states" in line for line in lines(bad))
    assert document(5, bad)["ok"] is False


def test_what_is_kept_is_about_the_messages_that_went_wrong() -> None:
    books = changed(told={**good().told, "crash-x-1": told(1, "single", "good", SMS, "unauthorized")})
    assert concerned(check(books), books) == [SMS]


def test_the_lines_of_a_message_are_found_in_all_logs(tmp_path: Path) -> None:
    (tmp_path / "egress.log").write_text("one msg-1\ntwo msg-2\n")
    (tmp_path / "pipeline.log").write_text("three msg-1\n")
    assert lines_of(tmp_path, "msg-1") == ["egress: one msg-1", "pipeline: three msg-1"]


def test_a_fault_is_proved_by_one_of_the_checkers_that_must_find_it() -> None:
    for fault, checkers in CAUGHT_BY.items():
        assert checkers <= {one.name for one in check(good())}
        assert Proof(fault, (min(checkers), "another")).ok
        assert not Proof(fault, ("another",)).ok
        assert not Proof(fault, ()).ok


@pytest.mark.parametrize("wrong", [["--kills", "0"], ["--minutes", "0"], ["--rate", "9999"], ["--what"]])
def test_what_cannot_be_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        parser().parse_args(wrong)
    assert error.value.code == 2


def test_a_state_that_was_used_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(Exception, match="is not empty"):
        main(["--state", str(tmp_path)])


def test_a_message_has_its_key_by_smpp_and_by_smtp() -> None:
    item = good().told["crash-x-2"].item
    assert submit_of(item).tlvs[0][1] == item.tag.encode()
    assert mail_of(item)["Message-ID"] == f"<{item.tag}@a.crash.example>"
