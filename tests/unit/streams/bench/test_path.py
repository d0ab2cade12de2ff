"""The whole path's arithmetic: what counts is the last final state, and CPU is that of all messages."""

import os
from dataclasses import replace

import pytest

from ingress.ids import Uuid7
from streams.bench.finals import Ends, made_ms
from streams.bench.floor import Bare, Echo, Floor
from streams.bench.path import Measured, lines_of, memory_lines
from streams.bench.plan import NUMBERS, Plan, Steps, Told, accepted_in, requests_of
from streams.bench.processes import Usage, usage
from streams.bench.result import BenchError
from streams.bench.stack import own_environment

KEY = "hk_live_secret"
BARE = Bare(hop_cpu_us=2.0, broker_cpu_us=7.0, pdu_cpu_us=3.0, hop_p50_ms=1.0, hop_p99_ms=4.0)
FLOOR = Floor(BARE, Echo(cpu_us=100.0, load_cpu_us=50.0, p50_ms=2.0, p99_ms=5.0))


def plan(rate_per_s: float = 0, batch: int = 0) -> Plan:
    return Plan("127.0.0.1", 1, 2, 1.0, rate_per_s, batch, (KEY, KEY[::-1]))


def measured() -> Measured:
    told = Told(requests=100, messages=100, began_ms=1_000, ended_ms=2_000, cpu_s=0.01, latencies_ms=[2.0] * 100)
    ends = Ends({f"msg-{at_ms:012x}": 3_000 for at_ms in range(1_001, 1_101)})
    before = {"kafka": Usage(1.0, 2**20), "gateway": Usage(2.0, 2**20), "pipeline": Usage(0.0, 2**20)}
    after = {"kafka": Usage(1.5, 2**20), "gateway": Usage(2.1, 2**21), "pipeline": Usage(0.2, 2**20)}
    return Measured(told, ends, before, after)


def test_messages_a_second_count_to_the_last_final_state_and_cpu_a_message_by_process() -> None:
    found = {line.what: line.value for line in lines_of("part", plan(rate_per_s=200), measured(), FLOOR)}

    assert (found["accepted"], found["end to end"], found["accepted of the rate"]) == (100, 50, 50)
    assert [round(found[f"CPU {name}"]) for name in ("gateway", "pipeline", "kafka")] == [1_000, 2_000, 5_000]
    assert round(found["CPU of Hermes, together"]) == 3_000
    assert "accepted of the rate" not in {line.what for line in lines_of("part", plan(), measured(), FLOOR)}


def test_each_figure_stands_beside_the_sum_of_its_bare_parts() -> None:
    floors = {line.what: line.floor for line in lines_of("part", plan(), measured(), FLOOR)}

    assert (floors["CPU gateway"], floors["CPU pipeline"], floors["CPU kafka"]) == (102.0, 10.0, 63.0)
    assert floors["CPU of Hermes, together"] == 102 + 10 + (4 + 6) + 2
    assert (floors["answer p50"], floors["answer p99"]) == (4.0, 13.0)
    assert (floors["accepted to final p50"], floors["accepted to final p99"]) == (25.0, 40.0)
    assert floors["end to end"] == pytest.approx((os.cpu_count() or 1) * 1e6 / (124 + 63 + 50))
    assert floors["messages"] is None


def test_our_own_processes_come_first() -> None:
    assert [line.what for line in memory_lines(measured().after)] == ["gateway", "pipeline", "kafka"]


def test_a_message_id_tells_when_the_message_was_made() -> None:
    made = Uuid7(lambda: 1_767_614_400_123_000_000)()

    assert made_ms(f"msg-{made}") == 1_767_614_400_123


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
    assert KEY.encode() in requests[0]
    assert KEY[::-1].encode() in requests[1]


@pytest.mark.parametrize(("steps", "what"), [("direct", b'"direct"'), ("twice", b'"channels"'), ("email", b'"email"')])
def test_a_plan_says_which_way_its_messages_take(steps: Steps, what: bytes) -> None:
    requests = requests_of(replace(plan(), steps=steps, numbers=3))

    assert len(requests) == 3
    assert all(what in request for request in requests)


def test_the_usage_of_a_process_is_known_while_it_runs() -> None:
    found = usage("test", os.getpid())

    assert found.cpu_s > 0
    assert found.memory_octets > 1_000_000
    with pytest.raises(BenchError, match="ghost"):
        usage("ghost", 2**22 + 1)


def test_a_measurement_never_reaches_a_database_that_the_environment_names() -> None:
    kept = {"HERMES_CACHE": "/cache", "PATH": "/bin"}

    assert own_environment({"HERMES_POSTGRES": "postgresql://prod", "HERMES_REGISTRY": "https://r", **kept}) == kept
