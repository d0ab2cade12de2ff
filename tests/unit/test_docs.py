"""The documents say what the code says: codes, links, packages, metrics, alerts, topics, make entries and commands."""

import re
import tomllib
from html import escape
from pathlib import Path

import pytest

from domain.errors import CODES, status_of, title_of
from ingress.http.pages import errors_page
from schemas.topics import FIXED
from streams.cli import parser
from streams.metric_names import METRICS
from streams.settings.load import parse

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)

REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)==([0-9.]+)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MAKE_TARGET = re.compile(r"^([a-z-]+):.*##", re.MULTILINE)
COMMAND_LINE = re.compile(r"^ *(?:\.venv/bin/)?(hermes|make) ([a-z]+)", re.MULTILINE)
FAMILIES = ("hermes.smpp.", "hermes.mta.")
"""A topic for each carrier and mail pool."""
COMMAND_IN_TEXT = re.compile(r"`(hermes|make) ([a-z]+)")


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The anchors that headings get: small letters, no punctuation, dashes for spaces."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text(path))}


def commands() -> set[str]:
    """The first words that `hermes` knows."""
    return {name for action in parser()._actions if isinstance(action.choices, dict) for name in action.choices}


def test_every_error_code_is_documented_with_its_status_meaning_and_remedy() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d+) \| (.+) \| (.+) \|$", text(ROOT / "docs" / "errors.md"), re.MULTILINE)
    assert [row[:3] for row in rows] == [(code, str(status_of(code)), title_of(code)) for code in CODES]
    served = errors_page().decode()
    for *_, remedy in rows:
        assert f"<p>{escape(remedy)}</p>" in served


@each_document
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(text(path)):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), target
        assert not anchor or anchor in anchors(place), target


def test_every_package_is_in_dependencies_with_its_version() -> None:
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    page = text(ROOT / "docs" / "dependencies.md")
    for requirement in wanted:
        found = REQUIREMENT.fullmatch(requirement)
        assert found is not None, requirement
        assert f"| {found[1]} | {found[2]} |" in page
    assert len(re.findall(r"^\| [a-z]\S* \| [0-9]", page, re.MULTILINE)) == len(wanted)


@each_document
def test_every_metric_in_a_document_is_declared(path: Path) -> None:
    assert set(re.findall(r"`(hermes_[a-z_]+)`", text(path))) <= {metric.name for metric in METRICS}


def test_every_alert_has_its_line_in_operations_and_no_other_is_named() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", text(ROOT / "deploy" / "prometheus" / "alerts.yml")))
    section = text(ROOT / "docs" / "operations.md").partition("## Alerts")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z]\w+)`", section)) == alerts
    for path in DOCUMENTS:
        assert set(re.findall(r"[Aa]lert `(\w+)`", text(path))) <= alerts, path


def test_the_metrics_that_nobody_measures_are_the_listed_ones() -> None:
    section = text(ROOT / "docs" / "operations.md").partition("## Metrics that are declared and not measured yet")[2]
    code = "".join(
        text(path)
        for folder in ("agents", "ingress", "egress", "streams", "tables")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "metric_names.py"
    )
    unmeasured = {metric.name for metric in METRICS if f'"{metric.name}"' not in code}
    assert set(re.findall(r"`(hermes_[a-z_]+)`", section)) == unmeasured


@each_document
def test_every_versioned_topic_in_a_document_is_in_the_catalogue(path: Path) -> None:
    named = {name for name in re.findall(r"hermes\.[a-z.]+\.v1", text(path)) if not name.startswith(FAMILIES)}
    assert named <= {topic.name for topic in FIXED}


@each_document
def test_every_command_in_a_document_exists(path: Path) -> None:
    known = {"hermes": commands(), "make": set(MAKE_TARGET.findall(text(ROOT / "Makefile")))}
    for program, word in [*COMMAND_LINE.findall(text(path)), *COMMAND_IN_TEXT.findall(text(path))]:
        assert word in known[program], f"{program} {word}"


def test_the_settings_of_the_readme_are_right() -> None:
    example = text(ROOT / "README.md").partition("```toml\n")[2].partition("```")[0]
    settings = parse(example.encode(), "README.md", ROOT)
    assert [carrier.name for carrier in settings.carriers] == ["telia"]
