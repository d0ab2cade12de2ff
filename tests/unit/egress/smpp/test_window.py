"""The unanswered segments of a bind."""

import asyncio

from egress.smpp.job import Answer, Job, Silence
from egress.smpp.window import Window
from tests.fakes.sms_attempts import sms


def job() -> Job:
    future: asyncio.Future[Answer | Silence] = asyncio.get_running_loop().create_future()
    return Job(sms(), 0, bytes(16), future, None)


async def test_a_window_has_so_many_places_and_an_answer_frees_one() -> None:
    window = Window(2, 1_000)
    first, second = job(), job()
    assert (window.take(first, 0), window.take(second, 0)) == (1, 2)
    assert not window.has_room
    assert window.answered(2) is second
    assert window.has_room
    assert window.answered(2) is None


async def test_the_oldest_become_overdue_first_and_are_remembered() -> None:
    window = Window(10, 1_000)
    old, young = job(), job()
    window.take(old, 0)
    window.take(young, 500)
    assert window.expire(999) == []
    assert window.expire(1_000) == [old]
    assert len(window) == 1
    assert window.answered(1) is None
    assert window.answered_late(1) is old
    assert window.clear() == [young]


async def test_numbers_go_round_and_skip_what_is_still_unanswered() -> None:
    window = Window(10, 1_000)
    window.take(job(), 0)
    window._sequence = 0x7FFFFFFF
    assert window.take(job(), 0) == 2


async def test_an_answer_is_given_once() -> None:
    segment = job()
    segment.resolve("lost")
    segment.resolve(Answer(0, "id"))
    assert segment.future.result() == "lost"
