"""The results as the JSON object that machines read."""

from collections.abc import Sequence
from typing import Any

from streams.demo.expectations import Expectation, Line, Result


def report(results: Sequence[Result], took_ms: int) -> dict[str, Any]:
    """`ok` is true only when there are results and every expectation of each held."""
    return {
        "ok": bool(results) and all(one.ok for one in results),
        "took_ms": took_ms,
        "scenarios": [
            {
                "name": one.name,
                "ok": one.ok,
                "took_ms": one.took_ms,
                "expectations": [_expectation(e) for e in one.expectations],
                "timeline": [_line(entry) for entry in one.timeline],
            }
            for one in results
        ],
    }


def _expectation(one: Expectation) -> dict[str, Any]:
    return {"what": one.what, "ok": one.ok, "got": one.got}


def _line(line: Line) -> dict[str, Any]:
    return {
        "message_id": line.message_id,
        "after_ms": line.after_ms,
        "event": line.event,
        "attempt": line.attempt or None,
        "channel": line.channel or None,
        "detail": line.detail,
    }
