"""The load client's reading of answers: whole however they are cut, and only what has a length."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.bench.answers import MAX_BODY_OCTETS, MAX_HEAD_OCTETS, Answer, Answers, NoAnswerError

ANSWER = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 11\r\nDate: now\r\n\r\n"
    + b'{"a":"\r\n\r\n"'
)
EMPTY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length:0\r\n\r\n"
BODY = b'{"a":"\r\n\r\n"'


@given(st.lists(st.integers(min_value=0, max_value=len(ANSWER) * 2 + len(EMPTY)), max_size=8))
def test_answers_are_whole_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    stream = ANSWER + EMPTY + ANSWER
    places = [0, *sorted(cuts), len(stream)]
    answers = Answers()

    found = [answer for a, b in pairwise(places) for answer in answers.feed(stream[a:b])]

    assert found == [Answer(202, BODY, False), Answer(503, b"", True), Answer(202, BODY, False)]


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_OCTETS + 1),
        b"x" * (MAX_HEAD_OCTETS + 1),
    ],
)
def test_what_has_no_length_that_can_be_trusted_is_no_answer(octets: bytes) -> None:
    with pytest.raises(NoAnswerError):
        Answers().feed(octets)
