"""The SMTP session: logins, limits, TLS, and clients that mean harm."""

import asyncio
import base64
import ssl
from pathlib import Path

import pytest

from tests.fakes.fake_desk import FakeDesk
from tests.integration.peers import self_signed
from tests.integration.smtp_gate import PLAIN, client, gate, mail, quick

BODY = b"Subject: one\r\n\r\nbody"
SECOND = b"MAIL FROM:<x@y.example>\r\nRCPT TO:<d@e.example>\r\nDATA\r\nSubject: two\r\n\r\nsmuggled\r\n.\r\n"
NOT_ENDS = [
    b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n\0.\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n",
    b"\r\n.\n", b"\r\n.\0\r\n", b"\n\n.\r\n", b"\r\n.\r", b"\0.\r\n",
]  # fmt: skip


@pytest.mark.parametrize("not_end", NOT_ENDS)
async def test_no_second_message_is_smuggled_and_bare_line_ends_are_refused(not_end: bytes) -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        await c.address()
        await c.send(BODY + not_end + SECOND)
        reply = await c.hear()
        assert reply in ("550 5.5.2 A message holds no bare CR or LF", "554 5.6.0 A message holds no NUL")
        assert await c.say("NOOP") == "250 2.0.0 Ok"
        assert g.desk.submitted == []


@pytest.mark.parametrize("cut", range(1, 6))
async def test_the_end_of_a_message_is_found_however_it_is_cut(cut: int) -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        await c.address()
        data = b"\r\n..dot\r\n.\r\n"
        await c.send(mail().encode() + data[:-cut])
        await asyncio.sleep(0.01)
        await c.send(data[-cut:] + b"NOOP\r\n")
        assert (await c.hear()).startswith("250 2.0.0 Ok: queued")
        assert await c.hear() == "250 2.0.0 Ok"
        request = g.desk.submitted[0].request
        assert request is not None
        assert request.body.text == "Hello\n.dot\n"


async def test_an_empty_message_ends_at_once() -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        await c.address()
        await c.send(b".\r\n")
        assert (await c.hear()).startswith("250 2.0.0")
        assert len(g.desk.submitted) == 1


@pytest.mark.parametrize("line", [b"NOOP\n", b"NO\rOP\r\n", b"NO\0OP\r\n", b"NOOP\r\r\n"])
async def test_a_command_that_does_not_end_in_crlf_ends_the_session(line: bytes) -> None:
    async with gate() as g, client(g.port) as c:
        await c.send(line + b"EHLO me\r\n")
        assert (await c.hear()).startswith("500 5.5.2")
        assert (await c.hear()).startswith("421 4.7.0")
        assert await c.hear() == ""


async def test_pipelined_commands_are_answered_in_order() -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        await c.send(
            b"MAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME\r\nRCPT TO:<bad\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
        )
        codes = [(await c.hear())[:3] for _ in range(4)]
        assert codes == ["250", "501", "250", "354"]
        await c.send(mail().encode() + b"\r\n.\r\nMAIL FROM:<a@b.example>\r\nRSET\r\nQUIT\r\n")
        assert [(await c.hear())[:3] for _ in range(4)] == ["250", "250", "250", "221"]
        assert await c.hear() == ""


async def test_ehlo_offers_what_the_server_does() -> None:
    async with gate() as g, client(g.port) as c:
        offers = [line[4:] for line in (await c.say("EHLO me")).split("\n")]
    assert offers == [
        "mail.hermes.test", "PIPELINING", "SIZE 10485760", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES",
        "AUTH LOGIN PLAIN", "HELP",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("MAIL FROM:<a@b.example>", "503 5.5.1"),
        ("EHLO", "501 5.5.4"),
        ("RCPT TO:<a@b.example>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("AUTH PLAIN", "503 5.5.1"),
        ("STARTTLS", "502 5.5.1"),
        ("BDAT 10 LAST", "502 5.5.1"),
        ("EXPN list", "502 5.5.1"),
        ("VRFY ann", "252 2.5.0"),
        ("HELP", "214 2.0.0"),
        ("GET / HTTP/1.1", "500 5.5.2"),
        ("NOOP " + "a" * 600, "500 5.5.2"),
        ("NOOP " + "a" * 20_000, "500 5.5.2"),
        ("", "500 5.5.2"),
    ],
)
async def test_what_is_out_of_place_is_refused(said: str, reply: str) -> None:
    async with gate() as g, client(g.port) as c:
        assert (await c.say(said)).startswith(reply)
        assert await c.say("NOOP") == "250 2.0.0 Ok"


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("MAIL FROM:<a@b.example> SIZE=99999999", "552 5.3.4"),
        ("MAIL FROM:<a@b.example> SIZE=many", "501 5.5.4"),
        ("MAIL FROM:<a@b.example> BODY=BINARYMIME", "501 5.5.4"),
        ("MAIL FROM:<a@b.example> RET=FULL", "555 5.5.4"),
        ("MAIL FROM:<a@b.example> SIZE=1 SIZE=2", "501 5.5.4"),
        ("MAIL FROM:a@b.example", "501 5.5.4"),
        ("MAIL FROM:<ä@b.example>", "553 5.6.7"),
        ("MAIL FROM:<ä@bücher.example> SMTPUTF8", "250 2.1.0"),
        ("MAIL FROM:<>", "250 2.1.0"),
        ("MAIL FROM:<@x.example,@y.example:a@b.example>", "250 2.1.0"),
        ('MAIL FROM:<"a > b"@b.example>', "250 2.1.0"),
    ],
)
async def test_mail_takes_what_it_offers(said: str, reply: str) -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        assert (await c.say(said)).startswith(reply)


async def test_nobody_relays_without_a_login() -> None:
    async with gate() as g, client(g.port) as c:
        await c.say("EHLO me")
        assert await c.say("MAIL FROM:<a@b.example>") == "530 5.7.0 Authentication required"
        assert (await c.say("RCPT TO:<a@b.example>")).startswith("503")


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("AUTH PLAIN " + base64.b64encode(b"\0acme\0wrong").decode(), "535 5.7.8"),
        ("AUTH PLAIN " + base64.b64encode(b"boss\0acme\0correct horse").decode(), "535 5.7.8"),
        ("AUTH PLAIN " + base64.b64encode(b"acme").decode(), "501 5.5.2"),
        ("AUTH PLAIN !!!", "501 5.5.2"),
        ("AUTH PLAIN " + base64.b64encode(b"\0\xff\0\xff").decode(), "535 5.7.8"),
        ("AUTH CRAM-MD5", "504 5.5.4"),
        ("AUTH", "501 5.5.4"),
    ],
)
async def test_a_bad_login_is_refused(said: str, reply: str) -> None:
    async with gate() as g, client(g.port) as c:
        await c.say("EHLO me")
        assert (await c.say(said)).startswith(reply)


async def test_login_works_step_by_step_and_only_once() -> None:
    async with gate() as g, client(g.port) as c:
        await c.say("EHLO me")
        assert await c.say("AUTH PLAIN") == "334 "
        assert await c.say("*") == "501 5.7.0 Authentication cancelled"
        assert await c.say("AUTH LOGIN") == "334 VXNlcm5hbWU6"
        assert await c.say(base64.b64encode(b"acme").decode()) == "334 UGFzc3dvcmQ6"
        assert (await c.say(base64.b64encode(b"correct horse").decode())).startswith("235")
        assert (await c.say(f"AUTH PLAIN {PLAIN}")).startswith("503")
        assert g.meter.logins == {"ok": 1}


async def test_guessing_ends_the_session_and_then_shuts_the_client_out() -> None:
    wrong = "AUTH PLAIN " + base64.b64encode(b"\0acme\0wrong").decode()
    async with gate(quick(max_client_failures=3)) as g:
        async with client(g.port) as c:
            await c.say("EHLO me")
            assert [(await c.say(wrong))[:3] for _ in range(3)] == ["535"] * 3
            assert (await c.hear()).startswith("421 4.7.0")
        async with client(g.port) as c:
            await c.say("EHLO me")
            assert (await c.say(f"AUTH PLAIN {PLAIN}")).startswith("454 4.7.0")


async def test_the_hundred_and_first_recipient_is_put_off_and_the_rest_is_sent() -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        await c.say("MAIL FROM:<a@acme.example>")
        await c.send(b"".join(b"RCPT TO:<u%d@b.example>\r\n" % n for n in range(130)))
        codes = [(await c.hear())[:9] for _ in range(130)]
        assert codes == ["250 2.1.5"] * 100 + ["452 4.5.3"] * 30
        await c.say("DATA")
        await c.send(mail().encode() + b"\r\n.\r\n")
        assert (await c.hear()).startswith("250-2.0.0 Ok: 100 of 100")
        assert len(g.desk.submitted) == 100


async def test_a_message_that_is_too_large_is_read_to_its_end_and_refused() -> None:
    async with gate(quick(max_message=100_000)) as g, client(g.port, log_in=True) as c:
        await c.address()
        await c.send(mail(body="0123456789\r\n" * 20_000).encode() + b"\r\n.\r\n")
        assert (await c.hear()).startswith("552 5.3.4")
        assert (await c.hand_in(mail())).startswith("250")


async def test_a_message_without_end_is_cut_off() -> None:
    async with gate(quick(max_message=10_000)) as g, client(g.port, log_in=True) as c:
        await c.address()
        sent = 0
        while sent < 10_000 and not c.reader.at_eof() and not c.writer.is_closing():
            c.writer.write(b"0123456789\r\n" * 1_000)
            await asyncio.sleep(0)
            sent += 1
        assert sent < 10_000
        assert g.desk.submitted == []


async def test_there_is_room_for_so_many_octets_in_all() -> None:
    async with gate(quick(max_buffered=1_000)) as g, client(g.port, log_in=True) as c:
        await c.address()
        await c.send(mail(body="x\r\n" * 1_000).encode())
        await asyncio.sleep(0.02)
        await c.send(b"\r\n.\r\n")
        assert (await c.hear()).startswith("452 4.3.1")
        assert (await c.hand_in(mail())).startswith("250")


async def test_a_client_that_says_nothing_is_let_go() -> None:
    async with gate(quick(idle_ms=50)) as g, client(g.port) as c:
        assert (await c.hear()).startswith("421 4.4.2")
        assert await c.hear() == ""
        assert g.meter.sessions == {"timed_out": 1}


async def test_a_client_that_drips_is_let_go_before_it_has_authenticated() -> None:
    async with gate(quick(login_ms=150)) as g, client(g.port) as c:
        await c.say("NOOP")
        async with asyncio.timeout(2):
            while not c.reader.at_eof() and not c.writer.is_closing():
                c.writer.write(b"N")
                await asyncio.sleep(0.02)
        await g.server.stop(1_000)
        assert g.meter.sessions == {"timed_out": 1}


async def test_a_message_that_drips_is_given_up() -> None:
    async with gate(quick(data_ms=100)) as g, client(g.port, log_in=True) as c:
        await c.address()
        for _ in range(3):
            await c.send(b"x")
            await asyncio.sleep(0.02)
        assert (await c.hear()).startswith("421 4.4.2")
        assert g.desk.submitted == []


async def test_too_many_errors_end_the_session() -> None:
    async with gate() as g, client(g.port) as c:
        await c.send(b"FOO\r\n" * 40)
        replies = [await c.hear() for _ in range(21)]
        assert replies[-1].startswith("421 4.7.0 Too many errors")


async def test_too_many_connections_are_turned_away() -> None:
    async with gate(quick(max_connections_per_client=1)) as g, client(g.port):
        reader, writer = await asyncio.open_connection("127.0.0.1", g.port)
        assert (await reader.readline()).startswith(b"421 4.7.0 Too many connections")
        writer.close()
        assert g.server.connections == 1


async def test_stop_says_goodbye_to_the_idle_and_lets_the_busy_finish() -> None:
    desk = FakeDesk(hold=asyncio.Event())
    async with gate(desk=desk) as g, client(g.port, log_in=True) as busy, client(g.port) as idle:
        await busy.address()
        await busy.send(mail().encode() + b"\r\n.\r\n")
        await desk.arrivals.get()
        stopping = asyncio.create_task(g.server.stop(2_000))
        assert (await idle.hear()).startswith("421 4.3.2")
        assert desk.hold is not None
        desk.hold.set()
        assert (await busy.hear()).startswith("250 2.0.0")
        assert (await busy.hear()).startswith("421 4.3.2")
        await stopping
        assert g.server.connections == 0


async def test_a_client_that_half_closes_still_gets_its_answers() -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        await c.send(
            b"MAIL FROM:<a@acme.example>\r\nRCPT TO:<b@c.example>\r\nDATA\r\n" + mail().encode() + b"\r\n.\r\nQUIT\r\n"
        )
        c.writer.write_eof()
        assert [(await c.hear())[:3] for _ in range(5)] == ["250", "250", "354", "250", "221"]
        assert len(g.desk.submitted) == 1


def trusting(certificate: Path) -> ssl.SSLContext:
    """A client's context for the server's own certificate."""
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    return context


async def test_over_starttls_a_password_is_taken_and_before_it_is_not(tmp_path: Path) -> None:
    server_tls, certificate = self_signed(tmp_path)
    async with gate(quick(tls=server_tls, allow_plaintext_auth=False)) as g, client(g.port) as c:
        offers = await c.say("EHLO me")
        assert "STARTTLS" in offers
        assert "AUTH" not in offers
        assert (await c.say(f"AUTH PLAIN {PLAIN}")).startswith("538 5.7.11")
        assert (await c.say("STARTTLS now")).startswith("501")
        assert (await c.say("STARTTLS")).startswith("220")
        await c.writer.start_tls(trusting(certificate))
        assert (await c.say("MAIL FROM:<a@b.example>")).startswith("503")
        offers = await c.say("EHLO me")
        assert "AUTH LOGIN PLAIN" in offers
        assert "STARTTLS" not in offers
        assert (await c.say("STARTTLS")).startswith("503")
        assert (await c.say(f"AUTH PLAIN {PLAIN}")).startswith("235")
        assert (await c.hand_in(mail())).startswith("250")


async def test_what_was_sent_in_plain_text_behind_starttls_is_forgotten(tmp_path: Path) -> None:
    server_tls, certificate = self_signed(tmp_path)
    async with gate(quick(tls=server_tls)) as g, client(g.port) as c:
        await c.say("EHLO me")
        await c.send(b"STARTTLS\r\nEHLO evil\r\nRSET\r\n")
        assert (await c.hear()).startswith("220")
        await c.writer.start_tls(trusting(certificate))
        assert (await c.say("HELP")).startswith("214")


async def test_implicit_tls_is_encrypted_from_the_first_octet(tmp_path: Path) -> None:
    server_tls, certificate = self_signed(tmp_path)
    settings = quick(tls=server_tls, tls_port=0, allow_plaintext_auth=False)
    async with gate(settings) as g, client(g.ports[1], trusting(certificate), log_in=True) as c:
        assert (await c.hand_in(mail())).startswith("250")
        assert (await c.say("STARTTLS")).startswith("503")


async def test_a_failed_handshake_ends_the_session(tmp_path: Path) -> None:
    server_tls, _ = self_signed(tmp_path)
    async with gate(quick(tls=server_tls)) as g, client(g.port) as c:
        await c.say("EHLO me")
        await c.say("STARTTLS")
        await c.send(b"this is no handshake\r\n" * 10)
        await c.reader.read()
        await g.server.stop(1_000)
        assert g.meter.sessions == {"lost": 1}
