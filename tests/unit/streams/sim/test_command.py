"""What `hermes sim` prints and answers: progress, coverage, a failure that can be seen again."""

import pytest

from streams.sim import main
from streams.sim.command import summary, told
from streams.sim.examine import Failure, Tally, examine, spread

FAILURE = Failure(41, "it has 2 final states", "msg-000002", ("+0.000 s  one line",))


def test_some_seeds_are_run_and_their_faults_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "3", "--first-seed", "5", "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    assert "seeds 5 to 7: 3 in" in out
    assert "every promise held" in out
    assert "crash_landing" in out


def test_one_seed_is_replayed_with_its_history(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "5", "--trace"]) == 0
    out = capsys.readouterr().out
    assert "is submitted" in out
    assert "+0.000 s" in out
    assert out.endswith("every promise held\n")


def test_a_failure_names_its_seed_its_message_and_the_way_to_see_it_again() -> None:
    assert told(FAILURE, with_history=True).splitlines() == [
        "", "seed 41: msg-000002: it has 2 final states", "+0.000 s  one line",
        "see it again: hermes sim --seed 41 --trace",
    ]  # fmt: skip
    assert "one line" not in told(FAILURE, with_history=False)


def test_a_summary_with_a_failure_says_so() -> None:
    tally = Tally(seeds=50, failures=[FAILURE])
    assert summary(tally, range(50), 2.0).endswith("BROKEN in 1 seeds: [41]\n")


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--jobs", "1000"], ["--seed", "-1"], ["--seeds", "x"]])
def test_what_is_out_of_bounds_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2


def test_seeds_spread_over_chunks_are_the_same_seeds() -> None:
    apart = Tally()
    for seed in range(3):
        apart.add(examine(seed))
    (together,) = spread(range(3), 1)
    assert together == apart
