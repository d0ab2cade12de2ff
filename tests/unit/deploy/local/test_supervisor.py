"""The supervisor starts in order, restarts with a growing wait, and stops in reverse, all in virtual time."""

from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.errors import ServerFailedError
from deploy.local.events import Event
from deploy.local.supervisor import STOP_WITHIN_MS, TICK_MS, Supervisor
from deploy.local.watch import BACKOFF_MOST_MS, BOOT_ATTEMPTS, STEADY_AFTER_MS, Entry, backoff_ms
from tests.unit.deploy.local.fakes import FakeClock, FakeProcess


@dataclass
class Stage:
    clock: FakeClock = field(default_factory=FakeClock)
    diary: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def add(
        self,
        name: str,
        *after: str,
        serves_after_ms: int = 0,
        leaves_after_ms: int | None = 0,
        refuses: str | None = None,
    ) -> FakeProcess:
        process = FakeProcess(name, self.clock, self.diary, leaves_after_ms, serves_after_ms, refuses)
        self.entries.append(Entry(name, lambda: process, after, process.is_ready))
        return process

    def supervisor(self) -> Supervisor:
        return Supervisor(self.entries, self.events.append, self.clock)

    def kinds(self, name: str) -> list[str]:
        return [event.kind for event in self.events if event.name == name]


def drive(stage: Stage, supervisor: Supervisor, for_ms: int) -> None:
    until = stage.clock.now + for_ms
    while stage.clock.now < until:
        supervisor.step()
        stage.clock.sleep_ms(TICK_MS)


def test_a_role_starts_only_when_what_it_is_after_is_ready() -> None:
    stage = Stage()
    stage.add("kafka", serves_after_ms=2_000)
    stage.add("postgres", serves_after_ms=300)
    stage.add("gateway", "kafka", "postgres")
    supervisor = stage.supervisor()

    supervisor.start(timeout_ms=10_000)

    assert stage.diary == ["start kafka", "start postgres", "start gateway"]
    started = {event.name: event.at_ms for event in stage.events if event.kind == "started"}
    assert started["postgres"] < 300
    assert started["gateway"] >= 2_000
    assert set(supervisor.pids()) == {"kafka", "postgres", "gateway"}


def test_a_broker_that_dies_is_started_again_and_the_others_are_left_alone() -> None:
    stage = Stage()
    kafka = stage.add("kafka")
    stage.add("gateway", "kafka")
    supervisor = stage.supervisor()
    supervisor.start(timeout_ms=1_000)
    stage.diary.clear()

    kafka.exit(-9)
    drive(stage, supervisor, 1_000)

    assert stage.diary == ["end kafka -9", "start kafka"]
    assert supervisor.all_ready()
    exited = next(event for event in stage.events if event.kind == "exited")
    assert (exited.status, exited.last_words) == (-9, ("kafka said goodbye",))


def test_a_role_that_dies_with_its_broker_waits_until_the_broker_is_ready() -> None:
    stage = Stage()
    kafka = stage.add("kafka", serves_after_ms=3_000)
    gateway = stage.add("gateway", "kafka")
    supervisor = stage.supervisor()
    supervisor.start(timeout_ms=10_000)

    kafka.exit(-9)
    gateway.exit(1)
    drive(stage, supervisor, 2_000)
    assert "gateway" not in supervisor.pids()
    drive(stage, supervisor, 3_000)

    assert supervisor.all_ready()


def test_the_wait_doubles_from_200_ms_to_10_s_and_is_forgotten_after_30_s_up() -> None:
    assert [backoff_ms(n) for n in range(1, 9)] == [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]
    assert backoff_ms(10_000) == BACKOFF_MOST_MS
    stage = Stage()
    process = stage.add("role")
    supervisor = stage.supervisor()
    supervisor.start(timeout_ms=1_000)

    for _ in range(3):
        process.exit(1)
        drive(stage, supervisor, 2_000)
    drive(stage, supervisor, STEADY_AFTER_MS)
    process.exit(1)
    drive(stage, supervisor, 1_000)

    assert [event.delay_ms for event in stage.events if event.kind == "waiting"] == [200, 400, 800, 200]


def test_a_process_that_was_once_ready_is_restarted_however_often_it_dies() -> None:
    stage = Stage()
    process = stage.add("role")
    supervisor = stage.supervisor()
    supervisor.start(timeout_ms=1_000)

    for _ in range(3 * BOOT_ATTEMPTS):
        process.exit(1)
        drive(stage, supervisor, BACKOFF_MOST_MS + 1_000)

    assert supervisor.all_ready()


def test_what_never_was_ready_is_given_up_and_run_stops_everything_with_status_1() -> None:
    stage = Stage()
    kafka = stage.add("kafka", refuses="no jars")
    stage.add("postgres")
    supervisor = stage.supervisor()

    status = supervisor.run()

    assert status == 1
    assert kafka.starts == BOOT_ATTEMPTS
    assert stage.kinds("kafka")[-2:] == ["failed", "gave_up"]
    assert stage.events[0].last_words == ("no jars",)
    assert supervisor.pids() == {}
    assert stage.diary == ["start postgres", "ask postgres", "end postgres 0"]


def test_what_is_not_ready_in_time_is_killed_and_started_again() -> None:
    stage = Stage()
    process = FakeProcess("slow", stage.clock, stage.diary, serves_after_ms=10**9)
    stage.entries.append(Entry("slow", lambda: process, ready=process.is_ready, ready_within_ms=1_000))
    supervisor = stage.supervisor()

    drive(stage, supervisor, 1_500)

    assert stage.kinds("slow") == ["started", "too_slow", "exited", "waiting", "started"]


def test_a_stop_goes_in_reverse_and_leaves_the_broker_until_its_clients_are_gone() -> None:
    stage = Stage()
    stage.add("kafka", leaves_after_ms=1_000)
    stage.add("postgres")
    stage.add("pipeline", "kafka", leaves_after_ms=500)
    stage.add("gateway", "kafka", "pipeline", leaves_after_ms=500)
    supervisor = stage.supervisor()
    stage.clock.plan(1_000, supervisor.request_stop)

    status = supervisor.run()

    assert status == 0
    asked_or_gone = [line for line in stage.diary if not line.startswith("start")]
    assert asked_or_gone.index("end gateway 0") < asked_or_gone.index("ask pipeline")
    assert asked_or_gone.index("end pipeline 0") < asked_or_gone.index("ask kafka")
    assert supervisor.pids() == {}


def test_what_does_not_leave_is_killed_and_the_whole_stop_takes_at_most_10_s() -> None:
    stage = Stage()
    stage.add("kafka", leaves_after_ms=None)
    stage.add("pipeline", "kafka", leaves_after_ms=None)
    stage.add("gateway", "pipeline", leaves_after_ms=None)
    supervisor = stage.supervisor()
    supervisor.start(timeout_ms=1_000)
    began = stage.clock.now

    supervisor.stop()

    assert stage.clock.now - began <= STOP_WITHIN_MS
    assert [line for line in stage.diary if line.startswith("end")] == [
        "end gateway -9",
        "end pipeline -9",
        "end kafka -9",
    ]
    assert stage.kinds("kafka")[-3:] == ["stopping", "killed", "stopped"]


def test_a_start_that_takes_too_long_stops_what_it_started_and_says_what_was_late() -> None:
    stage = Stage()
    stage.add("kafka")
    stage.add("gateway", "kafka", serves_after_ms=10**9)
    supervisor = stage.supervisor()

    with pytest.raises(ServerFailedError, match="gateway"):
        supervisor.start(timeout_ms=3_000)

    assert supervisor.pids() == {}


def test_entries_with_one_name_or_after_something_later_are_refused() -> None:
    stage = Stage()
    stage.add("kafka")
    stage.add("kafka")
    with pytest.raises(ValueError, match="two entries"):
        stage.supervisor()
    stage.entries[:] = [Entry("gateway", stage.entries[0].create, after=("kafka",))]
    with pytest.raises(ValueError, match="come earlier"):
        stage.supervisor()


@settings(max_examples=40, deadline=None)
@given(
    crashes=st.lists(st.tuples(st.integers(0, 60_000), st.sampled_from(["kafka", "pipeline", "gateway"])), max_size=12)
)
def test_whatever_dies_and_when_everything_is_ready_in_the_end_and_gone_after_the_stop(
    crashes: list[tuple[int, str]],
) -> None:
    stage = Stage()
    processes = {
        "kafka": stage.add("kafka", serves_after_ms=2_000),
        "pipeline": stage.add("pipeline", "kafka", serves_after_ms=500),
        "gateway": stage.add("gateway", "kafka", "pipeline"),
    }
    supervisor = stage.supervisor()
    supervisor.start(timeout_ms=10_000)
    for at_ms, name in crashes:
        stage.clock.plan(stage.clock.now + at_ms, partial(processes[name].exit, -9))

    drive(stage, supervisor, 90_000)
    assert supervisor.all_ready()
    for name, process in processes.items():
        assert process.starts == 1 + stage.kinds(name).count("exited")
    supervisor.stop()
    assert all(process.pid is None for process in processes.values())
