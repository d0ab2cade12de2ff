"""The kept inputs: each once did harm, or stands where harm was likely; none may again."""

from pathlib import Path

import pytest

from streams.fuzz.engine import replay
from streams.fuzz.targets import TARGETS

KEPT = sorted(path for path in (Path(__file__).parents[3] / "fuzz").rglob("*.bin"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_kept_input_does_no_harm(path: Path) -> None:
    assert replay(TARGETS[path.parent.name], path.read_bytes()) is None


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_target_begins_from_does_no_harm(name: str) -> None:
    target = TARGETS[name]
    assert [finding for seed in target.seeds if (finding := replay(target, seed))] == []
