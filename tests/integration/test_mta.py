"""The mail way out against the sandbox's host, over loopback."""

import asyncio
import base64
import json
import signal
import sys
from pathlib import Path

import dkim
import pytest

from deploy.sandbox.mx import Book, Handler
from domain.delivery import Failed, Sent, Unknown
from egress.mta.config import MtaConfig
from egress.mta.delivery import Delivery
from egress.mta.errors import ConfigError
from egress.mta.mta import Mta
from tests.integration.peers import Peer, peer
from tests.integration.sending import KEY, QUICK, failure, mta, outcome, sandbox
from tests.unit.egress.mta.attempts import attempt


async def test_the_sandbox_answers_by_the_local_part(tmp_path: Path) -> None:
    with (tmp_path / "book.jsonl").open("ab") as file:
        book = Book(file, keep_raw=True)
        async with sandbox(Handler(book)) as target, mta(target) as sender:
            delivered = await sender.send(attempt(address="delivered+7@any.test"))
            assert delivered == Sent(("00000001",), "delivered", "2.0.0", "250 2.0.0 Ok: queued as 00000001")
            bounced = await sender.send(attempt(address="bounced@any.test"))
            assert failure(bounced) == ("5.1.1", True)
            assert failure(await sender.send(attempt(address="full@any.test"))) == ("4.2.2", False)
            slow = await sender.send(attempt(address="slow@any.test"))
            assert failure(slow) == ("4.7.1", False)
            assert isinstance(slow, Failed)
            assert slow.retry_after_ms == 1_000
            assert isinstance(await sender.send(attempt(address="slow@any.test")), Sent)
            assert isinstance(await sender.send(attempt(address="complained@any.test")), Sent)

    entries = [json.loads(line) for line in (tmp_path / "book.jsonl").read_text().splitlines()]
    assert [entry["recipient"] for entry in entries] == ["delivered+7@any.test", "slow@any.test", "complained@any.test"]
    raw = base64.b64decode(entries[0]["raw"])
    assert entries[0] | {"raw": ""} == {
        "recipient": "delivered+7@any.test",
        "message_id": "<msg-0190f5fe.1@acme.test>",
        "from": "news@acme.test",
        "size": len(raw),
        "raw": "",
    }
    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: KEY.record().encode())


@pytest.mark.parametrize(
    ("wish", "code", "permanent", "reason", "hard"),
    [
        ("quota", "4.2.2", False, "mailboxfull", False),
        ("disabled", "5.2.1", True, "suspend", False),
        ("unknown-old", "550", True, None, None),
        ("toofast", "4.2.1", False, "speeding", False),
        ("blocked", "5.7.1", True, None, False),
        ("busy", "4.3.2", False, None, False),
        ("spam", "5.7.1", True, "spamdetected", False),
        ("unauthenticated", "5.7.26", True, "authfailure", False),
        ("toobig", "5.3.4", True, "mesgtoobig", False),
        ("later", "4.7.0", False, None, False),
    ],
)
async def test_the_sandbox_refuses_as_hosts_do_and_goes_on(
    wish: str, code: str, permanent: bool, reason: str | None, hard: bool | None
) -> None:
    told: list[Delivery] = []
    async with sandbox(Handler(Book())) as target:
        sender = Mta(MtaConfig("out.hermes.test", mx_overrides={"*": target}), tell=told.append)
        assert failure(await sender.send(attempt(address=f"{wish}+1@any.test"))) == (code, permanent)
        assert isinstance(await sender.send(attempt()), Sent)
        await sender.close()

    assert reason is None or told[0].reason == reason
    assert hard is None or told[0].hard is hard
    assert told[1].reason is None


async def test_many_mails_share_few_connections_and_each_arrives_once(tmp_path: Path) -> None:
    with (tmp_path / "book.jsonl").open("ab") as file:
        async with sandbox(Handler(Book(file))) as target, mta(target, connections=3, mails=20) as sender:
            results = await asyncio.gather(*(sender.send(attempt(message_id=f"m{number}")) for number in range(200)))

    assert all(isinstance(result, Sent) for result in results)
    entries = [json.loads(line) for line in (tmp_path / "book.jsonl").read_text().splitlines()]
    assert sorted(entry["message_id"] for entry in entries) == sorted(f"<m{n}.1@acme.test>" for n in range(200))


async def test_a_large_mail_with_lines_of_dots_arrives_whole(tmp_path: Path) -> None:
    text = ".\n..\n.\r\nMAIL FROM:<x@y.test>\n" * 30_000
    with (tmp_path / "book.jsonl").open("ab") as file:
        async with sandbox(Handler(Book(file, keep_raw=True))) as target:
            assert isinstance(await outcome(target, attempt(text=text)), Sent)

    (line,) = (tmp_path / "book.jsonl").read_text().splitlines()
    raw = base64.b64decode(json.loads(line)["raw"])
    assert raw.partition(b"\r\n\r\n")[2].decode() == text.replace("\r\n", "\n").replace("\n", "\r\n")
    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: KEY.record().encode())


async def test_the_command_line_sandbox_says_where_it_listens_and_stops_on_sigterm(tmp_path: Path) -> None:
    book = tmp_path / "book.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.sandbox.mx", "--port", "0", "--book", str(book), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        target = json.loads(await process.stdout.readline())["listening"]
        assert isinstance(await outcome(target), Sent)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert json.loads(book.read_text())["recipient"] == "delivered@sandbox.test"


async def test_a_silent_host_is_a_temporary_failure() -> None:
    async with sandbox(Handler(Book()), mode="stall") as target:
        assert failure(await outcome(target, timeouts=QUICK)) == ("4.4.2", False)


async def test_a_refused_connection_is_a_temporary_failure() -> None:
    async with sandbox(Handler(Book())) as target:
        pass
    assert failure(await outcome(target)) == ("4.4.1", False)


async def test_a_connection_lost_after_the_last_dot_is_unknown() -> None:
    async with sandbox(Handler(Book(), hang_up=True)) as target:
        assert isinstance(await outcome(target), Unknown)


async def test_bad_attempts_fail_without_a_connection() -> None:
    async with mta("127.0.0.1:1") as sender:
        assert failure(await sender.send(attempt(address="nobody"))) == ("5.1.3", True)
        assert failure(await sender.send(attempt(sender="nobody"))) == ("5.1.7", True)
        assert failure(await sender.send(attempt(headers={"Bcc": "x@b.test"}))) == ("5.6.0", True)
        assert failure(await sender.send(attempt(expires_at_ms=1))) == ("5.4.7", True)


async def test_the_return_path_is_the_envelopes_sender(tmp_path: Path) -> None:
    with (tmp_path / "book.jsonl").open("ab") as file:
        async with sandbox(Handler(Book(file))) as target:
            config = MtaConfig("out.hermes.test", mx_overrides={"*": target})
            sender = Mta(config, return_path=lambda due: f"bounces+{due.message_id}@rp.acme.test")
            assert isinstance(await sender.send(attempt()), Sent)
            await sender.close()

    assert json.loads((tmp_path / "book.jsonl").read_text())["from"] == "bounces+msg-0190f5fe@rp.acme.test"


async def test_closing_ends_what_hangs_and_takes_no_more() -> None:
    async def talk(server: Peer) -> None:
        await server.greet()
        await server.answer("250 Ok", "250 Ok", "354 Go")
        await server.hear_message()
        await asyncio.sleep(20)

    async with peer(talk) as target, mta(target, grace_ms=50) as sender:
        sending = asyncio.create_task(sender.send(attempt()))
        await asyncio.sleep(0.1)
        await sender.close()
        assert isinstance(await sending, Unknown)
        assert failure(await sender.send(attempt())) == ("4.3.2", False)


def test_a_configuration_that_cannot_work_is_refused() -> None:
    for config in (
        MtaConfig("not a host"),
        MtaConfig("out.hermes.test", mx_overrides={"*": "nowhere"}),
        MtaConfig("out.hermes.test", connections_per_host=0),
        MtaConfig("out.hermes.test", tls={"*": "verify"}, tls_ca_file="/nonexistent.pem"),
        MtaConfig("out.hermes.test", nameservers=("not an address",)),
    ):
        with pytest.raises(ConfigError):
            Mta(config)
