"""What answers and silences mean."""

import asyncio

import pytest

from domain.delivery import Failed, Unknown
from egress.smpp import outcome
from egress.smpp.job import Answer, Job, Silence
from tests.fakes.sms_attempts import sms


def job(*, throttled: bool = False, part: int = 0) -> Job:
    future: asyncio.Future[Answer | Silence] = asyncio.get_running_loop().create_future()
    made = Job(sms(), part, bytes(16), future, None)
    made.throttled = throttled
    return made


@pytest.mark.parametrize("silence", ["lost", "timeout"])
async def test_what_was_written_and_not_answered_is_unknown(silence: Silence) -> None:
    assert isinstance(outcome.of_silence(job(), silence, 1, was_ready=True), Unknown)


@pytest.mark.parametrize(
    ("silence", "throttled", "was_ready", "code"),
    [
        ("expired", True, True, "throttled"),
        ("expired", False, False, "not_bound"),
        ("expired", False, True, "expired"),
        ("draining", False, True, "draining"),
        ("queue_full", False, True, "queue_full"),
    ],
)
async def test_what_was_not_written_may_be_tried_again(
    silence: Silence, throttled: bool, was_ready: bool, code: str
) -> None:
    found = outcome.of_silence(job(throttled=throttled, part=1), silence, 3, was_ready=was_ready)
    assert isinstance(found, Failed)
    assert (found.permanent, found.code) == (False, code)
    assert found.detail.endswith(", part 2 of 3")


@pytest.mark.parametrize(
    ("status", "permanent", "retry_after_ms"),
    [(0x08, False, 30_000), (0x04, False, 0), (0x0B, True, 0), (0x0432, True, 0)],
)
def test_a_refusal_is_permanent_unless_its_status_says_otherwise(
    status: int, permanent: bool, retry_after_ms: int
) -> None:
    found = outcome.of_refusal(Answer(status, ""), 0, 1)
    assert (found.permanent, found.retry_after_ms) == (permanent, retry_after_ms)
