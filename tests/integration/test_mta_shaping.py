"""Receiving providers that push back: slower, fewer, suspended, and others go on undisturbed."""

import asyncio
import json
import uuid
from pathlib import Path

from deploy.sandbox.mx import Book, Handler
from domain.delivery import Failed, Sent
from egress.mta import verp
from egress.mta.config import MtaConfig
from egress.mta.mta import Mta
from egress.mta.providers import Limits, Provider
from egress.mta.sources import Source
from tests.integration.mta_world import Zone, take_mails, taking, world
from tests.integration.peers import Peer, Talk, peer
from tests.integration.sending import failure, sandbox
from tests.unit.egress.mta.attempts import NOW_MS, attempt
from tests.unit.egress.mta.clocks import FakeClock

BIG = Provider("yahoo", (".big.test",), Limits(2, 3))
ZONE = Zone({"a.test": ("mx1.big.test",), "b.test": ("mx2.big.test",), "c.test": ("mx.c.test",)})


def refusing(reply: str) -> Talk:
    """A host that refuses every recipient."""

    async def talk(server: Peer) -> None:
        await server.greet()
        while line := await server.hear():
            await server.say(reply if line.startswith(b"RCPT") else "250 Ok")

    return talk


async def test_a_providers_domains_share_connections_and_each_carries_few_mails() -> None:
    sessions = open_now = most = 0

    async def talk(server: Peer) -> None:
        nonlocal sessions, open_now, most
        sessions, open_now = sessions + 1, open_now + 1
        most = max(most, open_now)
        await server.greet("PIPELINING")
        try:
            await take_mails(server)
        finally:
            open_now -= 1

    async with peer(talk) as target, world(target, ZONE, providers=(BIG,)) as our:
        dues = [attempt(message_id=f"m{n}", address=f"x@{'ab'[n % 2]}.test") for n in range(12)]
        assert all(isinstance(one, Sent) for one in await asyncio.gather(*(our.mta.send(due) for due in dues)))

    assert {delivery.group for delivery in our.told} == {"yahoo"}
    assert sessions >= 4
    assert most <= 3  # one that was told QUIT may not have noticed yet


async def test_known_words_suspend_the_whole_provider_and_nobody_else() -> None:
    clock = FakeClock(NOW_MS)
    reply = "421 4.7.0 [TSS04] Messages from 192.0.2.1 deferred"
    async with peer(refusing(reply)) as target, world(target, ZONE, providers=(BIG,), clock_ms=clock) as our:
        first = await our.mta.send(attempt(address="x@a.test"))
        second = await our.mta.send(attempt(address="x@b.test"))
        suspended = await our.mta.send(attempt(address="y@a.test"))
        other = await our.mta.send(attempt(address="x@c.test"))

    assert [failure(one) for one in (first, second, other)] == [("4.7.0", False)] * 3
    assert isinstance(suspended, Failed)
    assert (suspended.detail, suspended.retry_after_ms) == ("suspended after refusals", 7_200_000)
    assert [[action.kind for action in one.actions] for one in our.told] == [[], ["suspend"], [], []]


async def test_a_refusal_tells_its_reason_and_whether_the_address_is_dead() -> None:
    async with peer(refusing("550 5.1.1 no such user")) as target, world(target, ZONE) as our:
        assert failure(await our.mta.send(attempt(address="x@c.test"))) == ("5.1.1", True)

    (told,) = our.told
    assert (told.group, told.reason, told.hard) == ("mx.c.test", "userunknown", True)


async def test_a_failure_for_now_comes_with_its_wait() -> None:
    clock = FakeClock(NOW_MS)
    async with peer(refusing("451 4.3.0 not now")) as target, world(target, ZONE, clock_ms=clock) as our:
        long = await our.mta.send(attempt(address="x@c.test"))
        short = await our.mta.send(attempt(address="x@c.test", expires_at_ms=NOW_MS + 60_000))

    assert isinstance(long, Failed)
    assert 96_000 <= long.retry_after_ms <= 144_000
    assert isinstance(short, Failed)
    assert short.retry_after_ms == 30_000


async def test_a_host_that_hangs_holds_up_nobody_else() -> None:
    entered = asyncio.Event()

    async def hang(server: Peer) -> None:
        await server.greet()
        entered.set()
        await asyncio.sleep(60)

    zone = Zone({"slow.test": ("mx.slow.test",), "c.test": ("mx.c.test",)})
    async with peer(hang, taking(None)) as target, world(target, zone, connections=1, waiting=3, in_flight=8) as our:
        stuck = [
            asyncio.create_task(our.mta.send(attempt(message_id=f"s{n}", address="x@slow.test"))) for n in range(8)
        ]
        await entered.wait()
        assert isinstance(await our.mta.send(attempt(address="x@c.test")), Sent)
        refused = [task.result() for task in stuck if task.done()]
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)

    assert [failure(one) for one in refused] == [("4.4.5", False)] * 2


async def test_mail_leaves_from_several_addresses_each_with_its_name() -> None:
    heard: list[tuple[str, bytes]] = []

    async def talk(server: Peer) -> None:
        await server.greet()
        heard.append((server.writer.get_extra_info("peername")[0], server.heard[0]))
        await take_mails(server)

    sources = (Source("one", "one.hermes.test", "127.0.0.1"), Source("two", "two.hermes.test", "127.0.0.2", 2))
    async with peer(talk) as target, world(target, ZONE, sources=sources) as our:
        for number in range(20):
            assert isinstance(await our.mta.send(attempt(message_id=f"m{number}", address="x@c.test")), Sent)
        first = [one.source for one in our.told]
        for number in range(20):
            await our.mta.send(attempt(message_id=f"m{number}", address="x@c.test"))

    assert set(heard) == {("127.0.0.1", b"EHLO one.hermes.test"), ("127.0.0.2", b"EHLO two.hermes.test")}
    assert [one.source for one in our.told][20:] == first


async def test_an_address_outside_ascii_goes_to_a_host_that_takes_it() -> None:
    due = attempt(address="jürgen@c.test", sender_name="Jürgen")
    seen: list[bytes] = []
    async with peer(taking(None, "8BITMIME", "SMTPUTF8", seen=seen)) as target, world(target, ZONE) as our:
        assert isinstance(await our.mta.send(due), Sent)
    assert seen[:2] == [b"MAIL FROM:<news@acme.test> BODY=8BITMIME SMTPUTF8", "RCPT TO:<jürgen@c.test>".encode()]

    async with peer(taking(None)) as target, world(target, ZONE) as our:
        assert failure(await our.mta.send(due)) == ("5.6.7", True)


async def test_return_paths_name_the_attempt_when_the_configuration_says_so(tmp_path: Path) -> None:
    message_id = f"msg-{uuid.UUID(int=7)}"
    with (tmp_path / "book.jsonl").open("ab") as file:
        async with sandbox(Handler(Book(file))) as target:
            config = MtaConfig(
                "out.hermes.test", mx_overrides={"*": target}, return_path_domain="rp.acme.test", return_path_secret=b"secret"
            )  # fmt: skip
            sender = Mta(config)
            assert isinstance(await sender.send(attempt(message_id=message_id)), Sent)
            await sender.close()

    local, _, domain = json.loads((tmp_path / "book.jsonl").read_text())["from"].partition("@")
    assert domain == "rp.acme.test"
    assert verp.decode(local.removeprefix(verp.LOCAL_PREFIX), b"secret") == (message_id, 1)
