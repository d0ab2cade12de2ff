"""STARTTLS on the mail way out: offered, demanded, broken and attacked."""

from pathlib import Path

import pytest

from domain.delivery import Sent
from egress.mta.posture import TlsPolicy
from tests.integration.peers import Peer, peer, self_signed
from tests.integration.sending import failure, mta, outcome
from tests.unit.egress.mta.attempts import attempt


async def test_tls_is_used_when_offered_whoever_signed_the_certificate(tmp_path: Path) -> None:
    context, _ = self_signed(tmp_path)
    seen: list[object] = []

    async def talk(server: Peer) -> None:
        await server.greet("STARTTLS")
        await server.answer("220 Go")
        await server.start_tls(context)
        await server.answer("250 mx.test", "250 Ok", "250 Ok", "354 Go")
        seen.append(server.writer.get_extra_info("cipher"))
        await server.hear_message()
        await server.say("250 Ok")
        await server.hear()

    async with peer(talk) as target:
        assert isinstance(await outcome(target), Sent)
    assert seen[0] is not None


async def test_a_verifying_policy_wants_a_certificate_it_trusts(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)

    async def talk(server: Peer) -> None:
        await server.greet("STARTTLS")
        await server.answer("220 Go")
        await server.start_tls(context)
        await server.answer("250 mx.test", "250 Ok", "250 Ok", "354 Go")
        await server.hear_message()
        await server.say("250 Ok")
        await server.hear()

    async with peer(talk) as target:
        async with mta(target, tls={"*": "verify"}, ca_file=str(certificate)) as trusting:
            assert isinstance(await trusting.send(attempt()), Sent)
        async with mta(target, tls={"sandbox.test": "verify"}) as strict:
            assert failure(await strict.send(attempt())) == ("4.7.5", False)


@pytest.mark.parametrize("policy", ["encrypt", "verify"])
async def test_a_policy_that_wants_tls_never_goes_plain(policy: TlsPolicy) -> None:
    async def plain(server: Peer) -> None:
        await server.greet()
        await server.hear()

    async def refusing(server: Peer) -> None:
        await server.greet("STARTTLS")
        await server.answer("454 4.7.0 not now")
        await server.hear()

    for talk in (plain, refusing):
        async with peer(talk) as target, mta(target, tls={"*": policy}) as sender:
            assert failure(await sender.send(attempt())) == ("4.7.4", False)


async def test_a_broken_handshake_falls_back_to_plain_and_is_remembered() -> None:
    connections = 0

    async def talk(server: Peer) -> None:
        nonlocal connections
        connections += 1
        await server.greet("STARTTLS")
        if await server.hear() == b"STARTTLS":
            await server.say("220 Go")
            await server.say("this is no handshake")
            await server.hear()
            return
        await server.say("250 Ok")
        await server.answer("250 Ok", "354 Go")
        await server.hear_message()
        await server.say("250 Ok")

    async with peer(talk) as target, mta(target) as sender:
        assert isinstance(await sender.send(attempt()), Sent)
        assert connections == 2
        assert isinstance(await sender.send(attempt()), Sent)
        assert connections == 3


async def test_plain_text_after_the_answer_to_starttls_is_not_taken_for_encrypted(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)

    async def talk(server: Peer) -> None:
        await server.greet("STARTTLS")
        await server.answer("220 Go\r\n250-mx.test\r\n250 AUTH PLAIN")
        await server.start_tls(context)

    async with peer(talk) as target, mta(target, tls={"*": "verify"}, ca_file=str(certificate)) as sender:
        assert failure(await sender.send(attempt())) == ("4.7.5", False)
