"""MTA-STS, DANE, REQUIRETLS and their reports, with hosts on loopback."""

import hashlib
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.delivery import AttemptDue, Outcome, Sent
from egress.mta.config import MtaConfig
from egress.mta.dane import Tlsa
from egress.mta.extras import Extras
from egress.mta.mta import Mta
from egress.mta.sts_fetch import FetchError, fetch, read_policy
from egress.mta.tls_report import Policy
from tests.integration.mta_world import Zone, server_tls, taking, world
from tests.integration.peers import peer
from tests.integration.sending import failure
from tests.unit.egress.mta.attempts import attempt
from tests.unit.egress.mta.certificates import Issued, authority, issue

CA = authority()
TO = attempt(address="x@b.test")


def key_of(issued: Issued) -> bytes:
    return hashlib.sha256(
        issued.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()


def trust(folder: Path) -> str:
    path = folder / "ca.pem"
    path.write_bytes(CA.certificate.public_bytes(Encoding.PEM))
    return str(path)


def sts_zone(mode: str, host: str = "mx.b.test", listed: str = "mx.b.test") -> Zone:
    document = f"version: STSv1\nmode: {mode}\nmx: {listed}\nmax_age: 86400\n".encode()
    return Zone({"b.test": (host,)}, texts={"_mta-sts.b.test": (b"v=STSv1; id=1;",)}, documents={"b.test": document})


async def test_an_enforced_policy_is_met_by_a_host_it_lists_with_a_trusted_certificate(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, issue(CA, "mx.b.test"))
    async with peer(taking(tls)) as target, world(target, sts_zone("enforce"), ca_file=trust(tmp_path)) as our:
        assert isinstance(await our.mta.send(TO), Sent)

    ((policy, sessions),) = our.report.take()["b.test"].items()
    assert (policy.type, policy.hosts, sessions.succeeded, sessions.failed) == ("sts", ("mx.b.test",), 1, 0)


@pytest.mark.parametrize(
    ("name", "days", "result"),
    [
        ("other.test", 1, "certificate-host-mismatch"),
        ("mx.b.test", -1, "certificate-expired"),
    ],
)
async def test_an_enforced_policy_holds_mail_back_from_a_bad_certificate(
    tmp_path: Path, name: str, days: int, result: str
) -> None:
    tls = server_tls(tmp_path, issue(CA, name, days=days))
    async with peer(taking(tls)) as target, world(target, sts_zone("enforce"), ca_file=trust(tmp_path)) as our:
        assert failure(await our.mta.send(TO)) == ("4.7.5", False)

    ((_, sessions),) = our.report.take()["b.test"].items()
    assert [one.result for one in sessions.failures] == [result]


async def test_an_enforced_policy_refuses_plain_sessions_and_hosts_it_does_not_list(tmp_path: Path) -> None:
    async with peer(taking(None)) as target:
        async with world(target, sts_zone("enforce"), ca_file=trust(tmp_path)) as our:
            assert failure(await our.mta.send(TO)) == ("4.7.4", False)
        async with world(target, sts_zone("enforce", listed="*.mx.b.test"), ca_file=trust(tmp_path)) as our:
            assert failure(await our.mta.send(TO)) == ("4.7.5", False)


async def test_a_policy_in_testing_delivers_anyway_and_counts(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, issue(authority(), "mx.b.test"))
    async with peer(taking(tls)) as target, world(target, sts_zone("testing"), ca_file=trust(tmp_path)) as our:
        assert isinstance(await our.mta.send(TO), Sent)

    ((policy, sessions),) = our.report.take()["b.test"].items()
    assert policy.type == "sts"
    assert [one.result for one in sessions.failures] == ["certificate-not-trusted"]


@pytest.mark.parametrize("usage", [2, 3])
async def test_dane_needs_no_authority_but_the_right_key(tmp_path: Path, usage: int) -> None:
    ours = issue(CA, "mx.b.test")
    tls = server_tls(tmp_path, ours, CA)
    good, bad = Tlsa(usage, 1, 1, key_of(ours if usage == 3 else CA)), Tlsa(usage, 1, 1, bytes(32))
    async with peer(taking(tls)) as target:
        for keys, fits in (((good,), True), ((bad, good), True), ((bad,), False)):
            zone = Zone({"b.test": ("mx.b.test",)}, {"mx.b.test": keys})
            async with world(target, zone, dane=True) as our:
                outcome = await our.mta.send(TO)
            assert isinstance(outcome, Sent) == fits
            if not fits:
                assert failure(outcome) == ("4.7.5", False)
            ((policy, sessions),) = our.report.take()["b.test"].items()
            assert policy == Policy("tlsa", "mx.b.test", tuple(key.text for key in keys))
            assert (sessions.succeeded, sessions.failed) == (int(fits), int(not fits))


async def test_dane_never_goes_plain_and_unusable_keys_still_demand_encryption(tmp_path: Path) -> None:
    ours = issue(CA, "mx.b.test")
    unusable = Tlsa(0, 1, 1, bytes(32))
    async with peer(taking(None)) as target:
        for key in (Tlsa(3, 1, 1, key_of(ours)), unusable):
            async with world(target, Zone({"b.test": ("mx.b.test",)}, {"mx.b.test": (key,)}), dane=True) as our:
                assert failure(await our.mta.send(TO)) == ("4.7.4", False)
    zone = Zone({"b.test": ("mx.b.test",)}, {"mx.b.test": (unusable,)})
    async with peer(taking(server_tls(tmp_path, ours))) as target, world(target, zone, dane=True) as our:
        assert isinstance(await our.mta.send(TO), Sent)


async def required(target: str, due: AttemptDue, ca_file: str, *, dane: bool = True) -> Outcome:
    config = MtaConfig(
        "out.hermes.test", allow_private=True, smtp_port=int(target.rpartition(":")[2]), dane=dane, mta_sts=False,
        tls_ca_file=ca_file,
    )  # fmt: skip
    zone = Zone({"b.test": ("mx.b.test",)})
    sender = Mta(config, dns=zone, extras=lambda _: Extras(require_tls=True))
    try:
        return await sender.send(due)
    finally:
        await sender.close()


async def test_requiretls_is_asked_of_a_proved_host_and_never_given_up(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, issue(CA, "mx.b.test"))
    seen: list[bytes] = []
    async with peer(taking(tls, "REQUIRETLS", seen=seen)) as target:
        assert isinstance(await required(target, TO, trust(tmp_path)), Sent)
    assert seen[0] == b"MAIL FROM:<news@acme.test> REQUIRETLS"

    async with peer(taking(tls)) as target:
        assert failure(await required(target, TO, trust(tmp_path))) == ("5.7.30", True)
    async with peer(taking(None, "REQUIRETLS")) as target:
        assert failure(await required(target, TO, trust(tmp_path))) == ("4.7.4", False)


async def test_a_sender_may_wish_for_delivery_rather_than_tls(tmp_path: Path) -> None:
    async with peer(taking(None)) as target, world(target, sts_zone("enforce"), ca_file=trust(tmp_path)) as our:
        assert isinstance(await our.mta.send(attempt(address="x@b.test", headers={"TLS-Required": "No"})), Sent)


async def test_a_policy_is_fetched_as_plain_text_within_limits_and_without_redirects() -> None:
    async def answer(request: web.Request) -> web.Response:
        match request.path:
            case "/good":
                return web.Response(text="version: STSv1\n")
            case "/html":
                return web.Response(text="<p>", content_type="text/html")
            case "/long":
                return web.Response(text="x" * 70_000)
            case "/moved":
                raise web.HTTPFound("/good")
        raise web.HTTPNotFound

    app = web.Application()
    app.router.add_get("/{name}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession() as client:
            assert await read_policy(client, f"{base}/good") == b"version: STSv1\n"
            for name, result in (
                ("html", "sts-policy-invalid"),
                ("long", "sts-policy-invalid"),
                ("moved", "sts-policy-fetch-error"),
                ("missing", "sts-policy-fetch-error"),
            ):
                with pytest.raises(FetchError) as caught:
                    await read_policy(client, f"{base}/{name}")
                assert caught.value.result == result
    finally:
        await runner.cleanup()


async def test_a_policy_is_not_fetched_from_a_name_that_leads_nowhere_public() -> None:
    with pytest.raises(FetchError):
        await fetch("localhost")
