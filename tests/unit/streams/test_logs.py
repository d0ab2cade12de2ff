"""Logs: JSON lines in one form for our events and the libraries', without secrets, contents or recipients."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from streams.logs import HASHED_KEYS, REMOVED, REMOVED_KEYS, configure, hashed, masker, within


@pytest.fixture
def out() -> Iterator[io.BytesIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    file = io.BytesIO()
    configure("pipeline", "info", file, hash_key=b"k")
    yield file
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(out: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_time_level_and_role(out: io.BytesIO) -> None:
    with within(trace_id="t", message_id="m", tenant_id="a"):
        structlog.get_logger().info("batch_done", records=3)
    (line,) = lines(out)
    assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() is not None
    assert line == {
        "event": "batch_done", "level": "info", "role": "pipeline", "records": 3, "trace_id": "t", "message_id": "m",
        "tenant_id": "a",
    }  # fmt: skip


def test_debug_below_the_level_writes_nothing(out: io.BytesIO) -> None:
    structlog.get_logger().debug("noise")
    assert lines(out) == []


def test_a_library_speaks_in_the_same_form_with_the_ids_of_its_surroundings(out: io.BytesIO) -> None:
    with within(message_id="m"):
        logging.getLogger("aiokafka.consumer").warning("lost %s", "broker 1")
        logging.getLogger("aiokafka.consumer").info("chatter")
        logging.getLogger("mail.log").info("what a client said")
    (line,) = lines(out)
    assert (line["event"], line["logger"], line["level"], line["role"], line["message_id"]) == (
        "lost broker 1", "aiokafka.consumer", "warning", "pipeline", "m",
    )  # fmt: skip


def test_an_exception_is_told_without_the_values_of_its_frames(out: io.BytesIO) -> None:
    def fails() -> None:
        password = "hunter2"
        raise ValueError("no " + "x" * len(password))

    try:
        fails()
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("x").exception("failed too")
    for line in lines(out):
        assert "ValueError: no xxxxxxx" in line["exception"]
    assert b"hunter2" not in out.getvalue().replace(b'password = "hunter2"', b"")


def test_secrets_and_contents_are_removed_and_recipients_hashed(out: io.BytesIO) -> None:
    structlog.get_logger().info(
        "request", Authorization="Bearer s3cret", smtp_password="s3cret", text="s3cret", recipient="+46701234567",
        headers={"X-Api-Key": "s3cret", "deep": [{"email": "a@b.example"}]}, dsn_used="postgresql://u:s3cret@h/db",
    )  # fmt: skip
    (line,) = lines(out)
    raw = out.getvalue()
    assert b"s3cret" not in raw
    assert b"46701234567" not in raw
    assert b"a@b.example" not in raw
    assert line["recipient"] == hashed("+46701234567", b"k")
    assert line["recipient"] != hashed("+46701234567", b"other")
    assert line["dsn_used"] == "postgresql://h/db"
    assert line["text"] == REMOVED


def test_a_value_that_is_too_long_is_cut(out: io.BytesIO) -> None:
    structlog.get_logger().info("x", detail="d" * 100_000)
    assert len(out.getvalue()) < 3_000


nested = st.recursive(
    st.just("MARK"),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner)),
    max_leaves=8,
)


@given(
    st.sampled_from(sorted(REMOVED_KEYS | HASHED_KEYS | {"client_secret", "api_key", "to_email"})),
    nested,
    st.booleans(),
)
def test_nothing_under_a_forbidden_key_gets_through(key: str, value: Any, upper: bool) -> None:
    name = key.upper() if upper else key
    event: Any = {"event": "e", name: value, "inner": {name: value}}
    assert "MARK" not in json.dumps(masker(b"k")(None, "info", event))
