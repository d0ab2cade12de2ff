"""The mail way out against hosts that refuse, garble, stall and hang up."""

import asyncio

import pytest

from domain.delivery import Sent, Unknown
from tests.integration.peers import Peer, peer
from tests.integration.sending import QUICK, SHORT_MS, failure, mta, outcome
from tests.unit.egress.mta.attempts import attempt


async def test_no_answer_or_a_strange_one_after_the_last_dot_is_unknown() -> None:
    for last in ("", "hello there", "354 go on"):

        async def talk(server: Peer, last: str = last) -> None:
            await server.greet()
            await server.answer("250 Ok", "250 Ok", "354 Go")
            await server.hear_message()
            if last:
                await server.say(last)
            await server.hear()

        async with peer(talk) as target:
            assert isinstance(await outcome(target, timeouts=QUICK), Unknown), last


async def test_a_connection_lost_before_the_message_is_a_temporary_failure() -> None:
    async def talk(server: Peer) -> None:
        await server.greet()
        await server.answer("250 Ok", "250 Ok")
        await server.hang_up()

    async with peer(talk) as target:
        assert failure(await outcome(target)) == ("4.4.2", False)


async def test_a_host_that_stops_reading_a_large_mail_has_not_taken_it() -> None:
    async def talk(server: Peer) -> None:
        await server.greet("PIPELINING")
        await server.answer("250 Ok", "250 Ok", "354 Go")
        await asyncio.sleep(2)

    async with peer(talk) as target:
        result = await outcome(target, attempt(text="line of text\n" * 320_000), timeouts=QUICK)
        assert failure(result) == ("4.4.2", False)


async def test_a_refusal_in_the_middle_of_the_message_counts() -> None:
    async def talk(server: Peer) -> None:
        await server.greet()
        await server.answer("250 Ok", "250 Ok", "354 Go")
        await server.say("552 5.3.4 too big")
        await asyncio.sleep(2)

    async with peer(talk) as target:
        assert failure(await outcome(target, attempt(text="line of text\n" * 320_000))) == ("5.3.4", True)


@pytest.mark.parametrize(
    ("greeting", "code", "permanent"),
    [
        ("554 5.7.1 go away", "4.7.1", False),
        ("421 4.3.2 busy", "4.3.2", False),
        ("521 5.3.2 no mail here", "5.3.2", True),
        ("SSH-2.0-OpenSSH_9.6", "4.5.0", False),
        ("220-" + "x" * 5_000, "4.5.0", False),
        ("220-more\r\n" * 500, "4.5.0", False),
    ],
    ids=["refused", "busy", "no mail host", "another protocol", "long line", "endless"],
)
async def test_greetings_that_are_no_welcome(greeting: str, code: str, permanent: bool) -> None:
    async def talk(server: Peer) -> None:
        await server.say(greeting)
        await server.hear()

    async with peer(talk) as target:
        assert failure(await outcome(target)) == (code, permanent)


@pytest.mark.parametrize(
    ("answers", "code", "permanent"),
    [
        (["550 5.7.1 sender refused"], "5.7.1", True),
        (["250 Ok", "550 no such user"], "550", True),
        (["250 Ok", "450 4.2.1 later"], "4.2.1", False),
        (["250 Ok", "552 5.2.2 full"], "4.2.2", False),
        (["250 Ok", "421 4.7.0 too many"], "4.7.0", False),
        (["250 Ok", "250 Ok", "554 5.5.1 no"], "5.5.1", True),
        (["250 Ok", "250 Ok", "250 what"], "4.5.0", False),
        (["250 Ok", "¡¢£"], "4.5.0", False),
    ],
)
@pytest.mark.parametrize("extensions", [(), ("PIPELINING", "SIZE 0")], ids=["one by one", "pipelined"])
async def test_refusals_in_the_envelope(
    answers: list[str], code: str, permanent: bool, extensions: tuple[str, ...]
) -> None:
    async def talk(server: Peer) -> None:
        await server.greet(*extensions)
        await server.answer(*answers)
        await server.answer(*["503 5.5.1 bad sequence"] * 3)

    async with peer(talk) as target:
        assert failure(await outcome(target)) == (code, permanent)


async def test_helo_is_said_where_ehlo_is_not_understood() -> None:
    heard: list[bytes] = []

    async def talk(server: Peer) -> None:
        await server.say("220 old.test")
        await server.answer("502 what", "250 hello", "250 Ok", "250 Ok", "354 Go")
        await server.hear_message()
        heard.extend(server.heard)
        await server.say("250 Message accepted")

    async with peer(talk) as target:
        result = await outcome(target)

    assert isinstance(result, Sent)
    assert result.provider_ids == ("<msg-0190f5fe.1@acme.test>",)
    assert heard[:3] == [b"EHLO out.hermes.test", b"HELO out.hermes.test", b"MAIL FROM:<news@acme.test>"]


async def test_a_mail_over_the_announced_size_is_not_sent() -> None:
    async def talk(server: Peer) -> None:
        await server.greet("SIZE 500")
        await server.hear()

    async with peer(talk) as target:
        assert failure(await outcome(target, attempt(text="x " * 400))) == ("5.3.4", True)


async def test_a_refused_recipient_is_reset_before_the_next_mail() -> None:
    heard: list[bytes] = []

    async def talk(server: Peer) -> None:
        await server.greet()
        await server.answer("250 Ok", "550 5.1.1 no", "250 reset", "250 Ok", "250 Ok", "354 Go")
        await server.hear_message()
        heard.extend(server.heard)
        await server.say("250 2.0.0 Ok id=abc-1")

    async with peer(talk) as target, mta(target, connections=1) as sender:
        assert failure(await sender.send(attempt(address="x@b.test"))) == ("5.1.1", True)
        assert isinstance(await sender.send(attempt(address="y@b.test")), Sent)
    assert [line.split(b" ")[0] for line in heard] == [b"EHLO", b"MAIL", b"RCPT", b"RSET", b"MAIL", b"RCPT", b"DATA"]


@pytest.mark.parametrize("last", ["", "421 4.4.2 idle"], ids=["lost", "421"])
async def test_a_reused_connection_that_is_gone_is_replaced_unnoticed(last: str) -> None:
    async def once(server: Peer) -> None:
        await server.greet()
        await server.answer("250 Ok", "250 Ok", "354 Go")
        await server.hear_message()
        await server.say("250 Ok")
        await server.hear()
        if last:
            await server.say(last)

    async with peer(once, once) as target, mta(target, connections=1) as sender:
        assert isinstance(await sender.send(attempt(message_id="a")), Sent)
        assert isinstance(await sender.send(attempt(message_id="b")), Sent)


async def test_an_early_answer_never_counts_for_a_later_command() -> None:
    async def talk(server: Peer) -> None:
        await server.greet()
        await server.hear()
        await server.say("250 Ok\r\n250 Ok\r\n354 Go\r\n250 2.0.0 queued as FORGED")
        await server.hear()
        await asyncio.sleep(SHORT_MS / 1_000)

    async with peer(talk) as target:
        assert failure(await outcome(target)) == ("4.5.0", False)
