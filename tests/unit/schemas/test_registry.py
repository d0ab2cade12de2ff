"""The checked-in schemas: equal to the code, and readable by it in every version that was ever written."""

import json
import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from fastavro.repository.base import SchemaRepositoryError
from fastavro.schema import SchemaParseException
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalogue import TYPES, codec
from schemas.derive import NAMESPACE, schema_of
from schemas.registry import FOLDER, FileRegistry, UnknownSchemaError, write_files
from tests.unit.schemas.avro_values import values

GIT_TIMEOUT_S = 20
IDS = FOLDER / "ids.json"
Versions = dict[str, list[dict[str, Any]]]


def versions() -> Versions:
    found: Versions = json.loads(IDS.read_text())
    return found


def released() -> Versions:
    """The ids of the last release, none where git or a tag is missing."""
    git = shutil.which("git")
    if git is None:
        return {}
    root = Path(__file__).parents[3]

    def say(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own command
            [git, *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=GIT_TIMEOUT_S
        )
        return done.stdout if done.returncode == 0 else ""

    tag = say("describe", "--tags", "--abbrev=0").strip()
    found: Versions = json.loads(say("show", f"{tag}:schemas/avro/ids.json") or "{}") if tag else {}
    return found


def missing_defaults(written: Any, wanted: Any) -> list[str]:
    """The fields of records that a reader wants, a writer lacks, and no default fills, at any depth."""
    if isinstance(written, list) or isinstance(wanted, list):
        pairs = zip(written, wanted, strict=True) if isinstance(written, list) and isinstance(wanted, list) else ()
        return [m for w, r in pairs for m in missing_defaults(w, r)]
    if not isinstance(written, dict) or not isinstance(wanted, dict):
        return []
    have = {f["name"]: f["type"] for f in written.get("fields", ())}
    found = [
        f"{wanted['name']}.{f['name']}"
        for f in wanted.get("fields", ())
        if f["name"] not in have and "default" not in f
    ]
    for field in wanted.get("fields", ()):
        if field["name"] in have:
            found += missing_defaults(have[field["name"]], field["type"])
    for inner in ("items", "values"):
        if inner in written and inner in wanted:
            found += missing_defaults(written[inner], wanted[inner])
    return found


@pytest.mark.parametrize("value_type", TYPES, ids=lambda t: t.__name__)
def test_the_file_of_a_record_is_what_the_code_derives(value_type: type) -> None:
    assert json.loads((FOLDER / f"{value_type.__name__}.avsc").read_text()) == schema_of(value_type)
    assert versions()[f"{NAMESPACE}.{value_type.__name__}"][-1]["schema"] == schema_of(value_type)


def test_there_are_no_files_of_records_that_are_gone() -> None:
    assert {f.stem for f in FOLDER.glob("*.avsc")} == {t.__name__ for t in TYPES}


def test_no_id_is_given_twice_and_versions_are_numbered_upwards() -> None:
    ids = [[v["id"] for v in known] for known in versions().values()]
    every = [one for known in ids for one in known]
    assert len(set(every)) == len(every)
    assert all(known == sorted(known) for known in ids)


def test_an_id_that_was_never_given_is_unknown() -> None:
    with pytest.raises(UnknownSchemaError, match="123456"):
        FileRegistry.load().schema_of(123_456)


@pytest.mark.parametrize("value_type", TYPES, ids=lambda t: t.__name__)
def test_every_version_of_a_record_is_read_by_the_newest(value_type: type) -> None:
    """BACKWARD_TRANSITIVE: by the fields that are missing, and by reading what the older version writes."""
    name = f"{NAMESPACE}.{value_type.__name__}"
    newest = schema_of(value_type)
    for version in (*versions()[name], *released().get(name, ())):
        assert missing_defaults(version["schema"], newest) == []
        reads_all(version["schema"], newest, value_type)


def reads_all(written: dict[str, Any], wanted: dict[str, Any], value_type: type) -> None:
    old, new = fastavro.parse_schema(written), fastavro.parse_schema(wanted)
    to = codec()

    @settings(max_examples=3, deadline=None, database=None)
    @given(value=values(value_type))
    def read(value: Any) -> None:
        out = BytesIO(to.encode(value)[5:])
        plain: Any = fastavro.schemaless_reader(out, new, None)
        body = BytesIO()
        fastavro.schemaless_writer(body, old, plain)
        body.seek(0)
        try:
            fastavro.schemaless_reader(body, old, new)
        except (SchemaParseException, SchemaRepositoryError, ValueError, TypeError) as error:
            raise AssertionError(f"{value_type.__name__}: {error}") from error

    read()


def test_no_version_of_the_last_release_is_gone_or_has_changed() -> None:
    now = {v["id"]: v["schema"] for known in versions().values() for v in known}
    for known in released().values():
        for version in known:
            assert now[version["id"]] == version["schema"]


@given(st.sampled_from(TYPES))
def test_a_field_without_a_default_that_is_new_would_be_noticed(value_type: type) -> None:
    schema = schema_of(value_type)
    grown = {**schema, "fields": [*schema["fields"], {"name": "new", "type": "string"}]}
    assert missing_defaults(schema, grown) == [f"{value_type.__name__}.new"]
    assert missing_defaults(grown, schema) == []


def test_writing_the_files_again_changes_nothing_and_a_changed_record_gets_an_id_of_its_own(tmp_path: Path) -> None:
    for file in FOLDER.iterdir():
        shutil.copy(file, tmp_path)
    before = (tmp_path / "ids.json").read_text()
    write_files(TYPES, tmp_path)
    assert (tmp_path / "ids.json").read_text() == before
    changed = json.loads(before)
    last = max(v["id"] for known in changed.values() for v in known)
    changed["hermes.Grant"][-1]["schema"]["fields"].pop()
    (tmp_path / "ids.json").write_text(json.dumps(changed))
    write_files(TYPES, tmp_path)
    after = json.loads((tmp_path / "ids.json").read_text())
    assert [v["id"] for v in after["hermes.Grant"]][-1] == last + 1
    assert len(after["hermes.Grant"]) == len(changed["hermes.Grant"]) + 1
