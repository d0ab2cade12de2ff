"""The whole path's arithmetic: what counts is the last final state, and CPU is that of all messages."""

import os

import pytest
import uuid6

from streams.bench.finals import Ends, made_ms
from streams.bench.load import NUMBERS, Plan, Told, accepted_in, requests_of
from streams.bench.path import Measured, lines_of, memory_lines
from streams.bench.processes import Usage, usage
from streams.bench.result import BenchError
from streams.bench.stack import own_environment

KEY = "hk_live_secret"


def plan(rate_per_s: float = 0, batch: int = 0) -> Plan:
    return Plan("127.0.0.1", 1, 2, 1.0, rate_per_s, batch, KEY)


def measured() -> Measured:
    told = Told(requests=100, messages=100, began_ms=1_000, ended_ms=2_000, cpu_s=0.01, latencies_ms=[2.0] * 100)
    ends = Ends({f"msg-{n}" for n in range(100)}, [50.0] * 100, last_ms=3_000)
    before = {"kafka": Usage(1.0, 2**20), "gateway": Usage(2.0, 2**20), "pipeline": Usage(0.0, 2**20)}
    after = {"kafka": Usage(1.5, 2**20), "gateway": Usage(2.1, 2**21), "pipeline": Usage(0.2, 2**20)}
    return Measured(told, ends, before, after)


def test_messages_a_second_count_to_the_last_final_state_and_cpu_a_message_by_process() -> None:
    found = {line.what: line.value for line in lines_of("part", plan(rate_per_s=200), measured())}

    assert (found["accepted"], found["end to end"], found["accepted of the rate"]) == (100, 50, 50)
    assert [round(found[f"CPU {name}"]) for name in ("gateway", "pipeline", "kafka")] == [1_000, 2_000, 5_000]
    assert round(found["CPU of Hermes, together"]) == 3_000
    assert "accepted of the rate" not in {line.what for line in lines_of("part", plan(), measured())}


def test_our_own_processes_come_first() -> None:
    assert [line.what for line in memory_lines(measured().after)] == ["gateway", "pipeline", "kafka"]


def test_a_message_id_tells_when_the_message_was_made() -> None:
    made = uuid6.uuid7()

    assert made_ms(f"msg-{made}") == made.time


def test_an_answer_accepts_what_it_says() -> None:
    assert accepted_in(202, b"{}", 0) == 1
    assert accepted_in(429, b"{}", 0) == 0
    assert accepted_in(200, b'{"results":[],"accepted":99,"rejected":1}', 100) == 99
    assert accepted_in(503, b"{}", 100) == 0


@pytest.mark.parametrize("batch", [0, 100])
def test_requests_are_whole_and_the_key_is_not_shown(batch: int) -> None:
    requests = requests_of(plan(batch=batch))
    head, _, body = requests[1].partition(b"\r\n\r\n")

    assert len(set(requests)) == NUMBERS // max(batch, 1)
    assert f"Content-Length: {len(body)}".encode() in head
    assert body.count(b'"phone": ') == max(batch, 1)
    assert KEY not in repr(plan())


def test_the_usage_of_a_process_is_known_while_it_runs() -> None:
    found = usage("test", os.getpid())

    assert found.cpu_s > 0
    assert found.memory_octets > 1_000_000
    with pytest.raises(BenchError, match="ghost"):
        usage("ghost", 2**22 + 1)


def test_a_measurement_never_reaches_a_database_that_the_environment_names() -> None:
    kept = {"HERMES_CACHE": "/cache", "PATH": "/bin"}

    assert own_environment({"HERMES_POSTGRES": "postgresql://prod", "HERMES_REGISTRY": "https://r", **kept}) == kept
