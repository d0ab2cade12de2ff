"""`hermes crash`, small: one blow of each kind that matters, and a fault that its checkers have to find."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.crash.campaign import Outcome, Wanted, campaign
from streams.crash.plan import Blow
from streams.crash.prove import prove
from streams.crash.report import lines

pytestmark = [pytest.mark.integration, pytest.mark.timeout(420)]

SEED = 1
MINUTES = 4.0
RATE_PER_S = 25.0
PAUSE_MS = 300
BLOWS = (
    Blow("two at once", ("gateway", "archive"), PAUSE_MS),
    Blow("kill", ("pipeline",), PAUSE_MS),
    Blow("two at once", ("egress", "sandbox-carrier"), PAUSE_MS),
    Blow("kill", ("kafka",), PAUSE_MS),
    Blow("forget", ("pipeline",), PAUSE_MS),
    Blow("join", ("pipeline",), PAUSE_MS, leaving="SIGTERM"),
    Blow("kill", ("postgres",), PAUSE_MS),
    Blow("again", ("egress",), PAUSE_MS, after_ms=500),
)


@pytest.fixture
def home() -> Iterator[Path]:
    """Not pytest's own folder: that is private to one user, and as root PostgreSQL runs as another."""
    with tempfile.TemporaryDirectory(prefix="hermes-crash-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def wanted(home: Path, blows: tuple[Blow, ...]) -> Wanted:
    return Wanted(home / "state", "test", SEED, blows, MINUTES, RATE_PER_S, home / "evidence")


def run(one: Wanted) -> Outcome:
    one.state.mkdir(parents=True)
    return asyncio.run(campaign(one, print))


def test_a_small_campaign_is_survived_and_every_checker_is_content(home: Path) -> None:
    outcome = run(wanted(home, BLOWS))
    assert outcome.ok, "\n".join(lines(outcome))
    assert len(outcome.struck) == len(BLOWS)
    assert all(one.pids and all(one.pids) for one in outcome.struck)
    assert not outcome.evidence


def test_a_fault_in_the_pipeline_is_found_and_its_history_kept(home: Path) -> None:
    (proof,) = prove(wanted(home, ()), ("double-settle",), run, print)
    assert proof.ok, proof
    kept = home / "evidence" / "double-settle"
    assert {"campaign.json", "wrong.json", "supervisor.json", "logs"} <= {one.name for one in kept.iterdir()}
