"""The house rules that no linter knows, over every Python file of the product and its tests."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("domain", "schemas", "tables", "agents", "ingress", "egress", "streams", "deploy")
MOST_LINES, MEAN_LINES, MOST_FUNCTION_LINES = 300, 130, 70
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|NotImplemented" r"Error|no" r" cover")
SKIPPED = re.compile(r"pytest\.(?:skip|xfail|importorskip)\b|mark\.(?:skip|skipif|xfail)\b|unittest\.skip")
DOMAIN_MAY_IMPORT = frozenset({
    "bisect", "calendar", "collections", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib",
    "heapq", "hmac", "html", "itertools", "json", "math", "operator", "re", "string", "struct", "typing", "unicodedata",
    "urllib", "zoneinfo", "types", "domain", "idna",
})  # fmt: skip
"""Modules of values: none of them reads a clock, a file or a socket by itself."""


def files(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


@cache
def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(text(file), str(file))


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def lines(file: Path) -> int:
    return len(text(file).splitlines())


@pytest.mark.parametrize("folder", PRODUCT)
def test_no_file_is_longer_than_it_may_be(folder: str) -> None:
    assert [f"{named(f)}: {lines(f)}" for f in files(folder) if lines(f) > MOST_LINES] == []


def test_a_file_is_short_on_the_average() -> None:
    counts = [n for f in files(*PRODUCT) if (n := lines(f)) > 1]
    assert sum(counts) / len(counts) < MEAN_LINES


@pytest.mark.parametrize("folder", [*PRODUCT, "tests"])
def test_no_function_is_longer_than_it_may_be(folder: str) -> None:
    long = [
        f"{named(f)}: {node.name} has {node.end_lineno - node.lineno + 1}"
        for f in files(folder)
        for node in ast.walk(tree(f))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MOST_FUNCTION_LINES
    ]
    assert long == []


@pytest.mark.parametrize("folder", [*PRODUCT, "tests"])
def test_every_module_says_its_one_thing_in_its_first_line(folder: str) -> None:
    silent = [named(f) for f in files(folder) if text(f).strip() and not ast.get_docstring(tree(f))]
    late = [named(f) for f in files(folder) if text(f).strip() and not text(f).startswith(('"""', 'r"""', "#!"))]
    assert silent == []
    assert late == []


@pytest.mark.parametrize("folder", [*PRODUCT, "tests"])
def test_nothing_is_left_unfinished_and_no_test_is_passed_over(folder: str) -> None:
    found = [
        f"{named(f)}:{number}: {line.strip()}"
        for f in files(folder)
        for number, line in enumerate(text(f).splitlines(), 1)
        if f != Path(__file__) and (UNFINISHED.search(line) or SKIPPED.search(line))
    ]
    assert found == []


def test_the_domain_imports_values_only() -> None:
    found: list[str] = []
    for file in files("domain"):
        for node in ast.walk(tree(file)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert not node.level, f"{named(file)} imports relatively"
                names = [node.module or ""]
            found += [f"{named(file)}: {n}" for n in names if n.partition(".")[0] not in DOMAIN_MAY_IMPORT]
    assert found == []


@pytest.mark.parametrize("folder", PRODUCT)
def test_no_error_is_swallowed_by_an_except_for_everything(folder: str) -> None:
    swallowed = [
        f"{named(f)}:{node.lineno}"
        for f in files(folder)
        for node in ast.walk(tree(f))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (is_broad(node.type) and all(isinstance(line, ast.Pass) for line in node.body)))
    ]
    assert swallowed == []


def is_broad(caught: ast.expr) -> bool:
    return any(isinstance(n, ast.Name) and n.id in ("Exception", "BaseException") for n in ast.walk(caught))


def test_there_is_no_module_for_everything() -> None:
    names = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
    assert [named(f) for f in files(*PRODUCT) if f.name in names] == []
