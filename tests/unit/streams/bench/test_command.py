"""The bench's command: a table and a file, and nothing of a run in which something went wrong."""

import json
from pathlib import Path

import pytest

from streams.bench import main
from streams.bench.command import measure, parser, wanted_of
from streams.bench.result import BenchError, Line, Result, Wanted, quantile, table

RESULT = Result("good", "a note", (Line("rate", 12_345.6, "messages/s"), Line("p50", 1.234, "ms", "open loop")))


def good(_: Wanted) -> Result:
    return RESULT


def bad(_: Wanted) -> Result:
    raise BenchError("3 requests were refused")


def test_a_short_run_of_the_codec_prints_a_table_and_writes_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"

    assert main(["--only", "codec", "--seconds", "0.1", "--json", str(file)]) == 0
    out = capsys.readouterr().out
    found = json.loads(file.read_text())
    assert "encode and decode" in out
    assert "load average" in out
    assert found["machine"]["cores"] >= 1
    assert found["results"]["codec"]["encode [PDU/s]"] > 1_000
    assert found["not_reported"] == {}


def test_a_run_with_errors_is_not_reported_and_the_others_are(capsys: pytest.CaptureFixture[str]) -> None:
    results, failures = measure({"bad": bad, "good": good}, Wanted(1, 1))

    assert results == [RESULT]
    assert failures == {"bad": "3 requests were refused"}
    assert "bad: not reported, for there were errors: 3 requests were refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    "given",
    [
        ["--seconds", "0"],
        ["--rate", "0"],
        ["--only", "nothing"],
        ["--seconds", "x"],
        ["--connections", "0"],
        ["--open-connections", "x"],
        ["--rows", "5000001"],
    ],
)
def test_options_have_limits(given: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(given)


def test_a_result_is_a_table_and_a_document() -> None:
    assert [line.split() for line in table(RESULT).splitlines()] == [
        ["good:", "a", "note"],
        ["rate", "12,346", "messages/s"],
        ["open", "loop"],
        ["p50", "1.23", "ms"],
    ]
    assert RESULT.document() == {"note": "a note", "rate [messages/s]": 12345.6, "open loop": {"p50 [ms]": 1.234}}


def test_a_floor_stands_beside_its_number_however_they_compare() -> None:
    lines = (
        Line("CPU", 30.0, "µs", floor=10.0),
        Line("rate", 100.0, "messages/s", "part", 500.0),
        Line("none", 0.0, "", floor=0.0),
    )
    result = Result("floors", "", lines)

    told = table(result)

    assert "bare 10.0, 3.0 times" in told
    assert "bare 500, 5.0 times" in told
    assert told.endswith("bare 0.00\n")
    assert result.document()["CPU, bare parts [µs]"] == 10


def test_options_become_what_is_wanted() -> None:
    options = parser().parse_args(["--seconds", "3", "--rate", "7", "--connections", "9", "--rows", "11"])

    assert wanted_of(options) == Wanted(3, 7, connections=9, rows=11)
    assert wanted_of(parser().parse_args([])) == Wanted(10, 500)


def test_quantiles_are_of_what_was_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]

    assert (quantile(values, 0.5), quantile(values, 0.99), quantile([7.0], 0.99)) == (51.0, 100.0, 7.0)
    with pytest.raises(BenchError):
        quantile([], 0.5)
