"""The preparation as a process: ready when its work is done, gone when it is asked to leave, failed with its reason."""

import threading
from collections.abc import Callable

import pytest

from domain.errors import ConfigError, TransientError
from streams.preparation import STATUS_ABANDONED, STATUS_FAILED, Preparation

WAIT_MS = 5_000


def ended(work: Callable[[], None]) -> Preparation:
    """A preparation whose thread has ended."""
    preparation = Preparation(work)
    preparation.start()
    preparation.join(WAIT_MS)
    return preparation


def raises(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def test_it_stands_ready_after_its_work_until_it_is_asked_to_leave() -> None:
    preparation = ended(lambda: None)

    assert (preparation.is_ready(), preparation.poll()) == (True, None)
    preparation.terminate()
    assert (preparation.is_ready(), preparation.poll()) == (False, 0)


def test_a_failure_is_an_exit_with_the_reason_as_last_words() -> None:
    preparation = ended(raises(TransientError("Kafka is away", 1)))

    assert preparation.poll() == STATUS_FAILED
    assert preparation.last_words() == ("Kafka is away",)
    assert preparation.refusal is None


def test_wrong_settings_are_a_refusal() -> None:
    preparation = ended(raises(ConfigError("too many\npartitions")))

    assert isinstance(preparation.refusal, ConfigError)
    assert preparation.last_words() == ("too many", "partitions")


def test_it_can_be_started_again_after_a_failure() -> None:
    outcomes: list[Callable[[], None]] = [raises(TransientError("not yet", 1)), lambda: None]

    def work() -> None:
        outcomes.pop(0)()

    preparation = Preparation(work)
    preparation.start()
    preparation.join(WAIT_MS)
    assert preparation.poll() == STATUS_FAILED

    preparation.start()
    preparation.join(WAIT_MS)

    assert preparation.is_ready()
    assert preparation.last_words() == ()


def test_work_that_does_not_end_is_left_behind_when_it_is_killed() -> None:
    hold = threading.Event()

    def work() -> None:
        hold.wait(WAIT_MS / 1000)

    preparation = Preparation(work)
    preparation.start()

    preparation.terminate()
    assert preparation.poll() is None
    preparation.kill()

    assert preparation.poll() == STATUS_ABANDONED
    assert not preparation.is_ready()
    hold.set()


@pytest.mark.parametrize("grace_ms", [0, 1_000])
def test_a_stop_leaves_nothing_running(grace_ms: int) -> None:
    preparation = Preparation(lambda: None)
    preparation.start()

    preparation.stop(grace_ms)

    assert preparation.poll() in (0, STATUS_ABANDONED)
