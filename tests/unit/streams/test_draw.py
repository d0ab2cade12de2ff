"""The drawings are golden files: a change of the topology is seen in review."""

from pathlib import Path

from streams.draw import WIDTH, as_mermaid, as_text

GOLDEN = Path(__file__).parents[2] / "golden"


def test_the_text_is_the_golden_file() -> None:
    """After a wanted change: hermes topology draw > tests/golden/topology.txt."""
    assert as_text() == (GOLDEN / "topology.txt").read_text(encoding="utf-8")


def test_the_mermaid_chart_is_the_golden_file() -> None:
    """After a wanted change: hermes topology draw --mermaid > tests/golden/topology.mmd."""
    assert as_mermaid() == (GOLDEN / "topology.mmd").read_text(encoding="utf-8")


def test_the_part_about_agents_fits_a_terminal() -> None:
    agents = as_text().partition("TOPICS")[0]

    assert max(map(len, agents.splitlines())) <= WIDTH
