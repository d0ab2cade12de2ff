"""Two thousand random runs of a lane with everything going wrong that may: the promises hold in all of them."""

import os
import subprocess
import sys

import pytest

from streams.sim.chaos import run
from streams.sim.command import told
from streams.sim.examine import Tally, spread
from streams.sim.faults import FAULTS

SEEDS = 2_000
SEEDS_A_TEST = 500
JOBS = 2

DIGEST = """
import hashlib
from streams.logs import configure
from streams.sim.chaos import run
configure("sim", "error")
told = "".join(repr((sorted(w.broker.logs.items()), w.faults.story)) for w in map(run, (7, 8, 9)))
print(hashlib.sha256(told.encode()).hexdigest())
"""


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_A_TEST))
def test_whatever_goes_wrong_every_promise_holds(first: int) -> None:
    tally = Tally()
    for chunk in spread(range(first, first + SEEDS_A_TEST), JOBS):
        tally.add(chunk)
    assert not tally.failures, "\n".join(told(one, with_history=True) for one in tally.failures[:3])
    assert tally.seeds == SEEDS_A_TEST
    assert {kind for kind in FAULTS if not tally.faults[kind]} == set(), "faults that never happened"
    assert set(tally.ends) == {"delivered", "exhausted", "expired", "cancelled"}


def test_a_seed_gives_the_same_run_again() -> None:
    first, second = run(7), run(7)
    assert first.broker.logs == second.broker.logs
    assert first.faults.story == second.faults.story


def test_a_seed_gives_the_same_run_in_another_process_whatever_its_hashes() -> None:
    digests = {
        subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            check=True,
            capture_output=True,
        ).stdout
        for hashes in ("1", "2")
    }
    assert len(digests) == 1
