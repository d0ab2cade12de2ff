"""Replies: read in any pieces, within limits, and understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress.mta.replies import MAX_LINE_BYTES, MAX_LINES, Reply, ReplyError, ReplyParser
from egress.mta.verdicts import refused, refused_service

LINE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60).map(str.strip)
REPLIES = st.lists(
    st.tuples(st.integers(200, 599), st.lists(LINE, min_size=1, max_size=5)).map(
        lambda made: Reply(made[0], tuple(made[1]))
    ),
    max_size=6,
)


def written(reply: Reply) -> bytes:
    """The reply as a peer writes it."""
    *first, last = reply.lines
    return "".join([f"{reply.code}-{line}\r\n" for line in first] + [f"{reply.code} {last}\r\n"]).encode()


@given(REPLIES, st.integers(1, 50))
def test_replies_are_the_same_in_whatever_pieces_they_come(replies: list[Reply], step: int) -> None:
    stream = b"".join(written(reply) for reply in replies)
    parser = ReplyParser()

    read = [found for at in range(0, len(stream), step) for found in parser.feed(stream[at : at + step])]

    assert read == replies
    assert not parser.pending


@given(st.binary(max_size=300))
def test_any_bytes_are_replies_or_refused(data: bytes) -> None:
    try:
        replies = ReplyParser().feed(data)
    except ReplyError:
        return
    for reply in replies:
        assert reply.detail.isascii()
        assert reply.detail.isprintable()
        assert reply.kind in (2, 3, 4, 5)


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n",
        b"\r\n",
        b"2\r\n",
        b"2500 no\r\n",
        b"650 no\r\n",
        b"150 no\r\n",
        b"250-a\r\n451 b\r\n",
        b"HTTP/1.1 400\r\n",
        b"250 " + b"x" * MAX_LINE_BYTES + b"\r\n",
        b"x" * (MAX_LINE_BYTES + 1),
        b"250-x\r\n" * (MAX_LINES + 1),
    ],
)
def test_garbage_and_excess_are_refused(data: bytes) -> None:
    with pytest.raises(ReplyError):
        ReplyParser().feed(data)


def test_lines_of_one_kind_make_a_reply_whatever_their_codes_and_the_last_counts() -> None:
    (reply,) = ReplyParser().feed(b"550-5.1.1 No such account. Please\r\n553,5.1.1 try another\r\n")

    assert (reply.code, reply.enhanced, reply.lines[1]) == (553, "5.1.1", "5.1.1 try another")


def test_a_status_that_each_line_repeats_is_said_once() -> None:
    reply = Reply(421, ("4.7.0 an unusual amount of", "4.7.0 unsolicited mail"))
    assert reply.detail == "421 4.7.0 an unusual amount of unsolicited mail"


def test_bare_codes_and_bare_line_feeds_are_read() -> None:
    assert ReplyParser().feed(b"250\n354\r\n") == [Reply(250, ("",)), Reply(354, ("",))]


@pytest.mark.parametrize(
    ("code", "text", "best"),
    [
        (550, "5.1.1 no such user", "5.1.1"),
        (550, "no such user", "550"),
        (550, "4.2.1 odd", "550"),
        (421, "4.7.28 slow", "4.7.28"),
        (550, "5.1.1", "5.1.1"),
        (550, "5.1.1x", "550"),
        (250, "2.0.0 Ok", "2.0.0"),
        (553, "Mail from 192.0.2.1 not allowed - 5.7.1 [BL23] listed", "5.7.1"),
        (421, "Message from 192.0.2.1 temporarily deferred - 4.16.50.", "421"),
    ],
)
def test_the_most_telling_code_is_taken(code: int, text: str, best: str) -> None:
    assert Reply(code, (text,)).best_code == best


@pytest.mark.parametrize(
    ("text", "queue_id"),
    [
        ("2.0.0 Ok: queued as 4F2aB1", "4F2aB1"),
        ("OK id=1rAbCd-0001x2-3y", "1rAbCd-0001x2-3y"),
        ("2.6.0 <a@b> [InternalId=8723, Hostname=mx.test] Queued mail for delivery", "8723"),
        ("2.0.0 OK  1699999999 a1-20020.42 - gsmtp", ""),
        ("Message accepted", ""),
    ],
)
def test_the_queue_id_is_found_in_common_answers(text: str, queue_id: str) -> None:
    assert Reply(250, (text,)).queue_id == queue_id


@pytest.mark.parametrize(
    ("text", "wait_ms"),
    [
        ("4.7.1 Greylisted, try again in 5 minutes", 300_000),
        ("4.7.1 Greylisted for 300 seconds", 300_000),
        ("Please retry after 2 hours", 7_200_000),
        ("try again in 99 hours", 86_400_000),
        ("4.2.2 mailbox full", 0),
        ("try again later", 0),
    ],
)
def test_the_peers_wish_to_wait_is_read(text: str, wait_ms: int) -> None:
    assert Reply(451, (text,)).retry_after_ms == wait_ms


def test_refusals_are_classed_by_the_basic_code() -> None:
    assert refused(Reply(550, ("5.1.1 no",)), "RCPT").permanent
    assert not refused(Reply(450, ("4.2.1 later",)), "RCPT").permanent
    full = refused(Reply(552, ("5.2.2 over quota",)), "RCPT")
    assert (full.permanent, full.code) == (False, "4.2.2")
    for other in ("5.3.4 too big", "5.7.0 illegal attachment", "Requested action aborted, mailbox not found"):
        assert refused(Reply(552, (other,)), "RCPT").permanent
    assert refused(Reply(552, ("5.2.2 over quota",)), "the message").permanent
    strange = refused(Reply(250, ("what",)), "DATA")
    assert (strange.permanent, strange.code) == (False, "4.5.0")


def test_a_refused_service_is_for_now_unless_it_says_never() -> None:
    blocked = refused_service(Reply(554, ("5.7.1 your address is listed",)))
    assert (blocked.permanent, blocked.code) == (False, "4.7.1")
    bare = refused_service(Reply(554, ("no",)))
    assert (bare.permanent, bare.code) == (False, "4.3.2")
    never = refused_service(Reply(521, ("5.3.2 no mail here",)))
    assert (never.permanent, never.code) == (True, "5.3.2")
