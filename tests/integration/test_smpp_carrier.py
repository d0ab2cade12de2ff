"""The SMPP client against the simulated carrier."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from deploy.sandbox.carrier_book import Book, SandboxConfig
from domain.delivery import Failed, ReceiptSeen, Sent, Unknown
from egress.smpp.inbound import NotStoredError
from tests.fakes.sms_attempts import sms
from tests.integration.peers import self_signed
from tests.integration.smpp_peers import bound, config, now_ms, sandbox, send_all


async def test_a_message_is_sent_and_its_receipt_names_its_id() -> None:
    async with sandbox() as (_, port), bound(config(port)) as client:
        outcome = await client.carrier.submit(sms())
        assert isinstance(outcome, Sent)
        await client.until(lambda: len(client.receipts) == 1)
        receipt = client.receipts[0]
        assert (receipt.provider_id, receipt.status, receipt.code) == (outcome.provider_ids[0], "delivered", "000")


@pytest.mark.parametrize(("address", "status"), [("+4599000001", "delivered"), ("+4599000002", "failed")])
async def test_each_number_of_the_sandbox_gets_the_receipt_it_is_known_for(address: str, status: str) -> None:
    async with sandbox() as (_, port), bound(config(port)) as client:
        await client.carrier.submit(sms(address=address))
        await client.until(lambda: bool(client.receipts))
        assert client.receipts[0].status == status


async def test_a_late_receipt_comes_after_those_of_messages_sent_later() -> None:
    async with sandbox(SandboxConfig(late_ms=150)) as (_, port), bound(config(port)) as client:
        late = await client.carrier.submit(sms(address="+4599000005"))
        prompt = await client.carrier.submit(sms(address="+4599000001"))
        none = await client.carrier.submit(sms(address="+4599000003"))
        assert isinstance(late, Sent)
        assert isinstance(prompt, Sent)
        assert isinstance(none, Sent)
        await client.until(lambda: len(client.receipts) == 2)
        assert [receipt.provider_id for receipt in client.receipts] == [*prompt.provider_ids, *late.provider_ids]


async def test_a_throttled_message_is_sent_again_without_a_failure() -> None:
    async with sandbox() as (carrier, port), bound(config(port)) as client:
        outcome = await client.carrier.submit(sms(address="+4599000004"))
        assert isinstance(outcome, Sent)
        assert carrier.book.counts["throttled"] in (1, 2)
        assert client.events.pauses[0] == 100


async def test_the_parts_of_a_long_text_arrive_in_order_with_an_id_each(tmp_path: Path) -> None:
    text = "0123456789" * 40 + "€"
    path = tmp_path / "book"
    for long_messages in ("udh8", "udh16", "sar", "payload"):
        async with (
            sandbox(book=Book(path)) as (_, port),
            bound(config(port, long_messages=long_messages, binds=2)) as client,
        ):
            outcome = await client.carrier.submit(sms(text))
            assert isinstance(outcome, Sent)
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            assert "".join(line["text"] for line in lines) == text
            assert [line["id"] for line in lines] == list(outcome.provider_ids)
            path.unlink()


async def test_thousands_of_messages_are_sent_once_each_and_all_receipts_come_back(tmp_path: Path) -> None:
    count = 2_000
    path = tmp_path / "book"
    async with sandbox(book=Book(path)) as (_, port), bound(config(port, binds=2, window=50)) as client:
        outcomes = await send_all(client, ["+4599000001"] * count)
        await client.until(lambda: len(client.receipts) == count)
        ids = [outcome.provider_ids[0] for outcome in outcomes if isinstance(outcome, Sent)]
        assert len(set(ids)) == count
        assert {receipt.provider_id for receipt in client.receipts} == set(ids)
        assert len(path.read_text().splitlines()) == count


async def test_receipts_wait_for_a_client_that_vanished() -> None:
    async with sandbox(SandboxConfig(receipt_delay_ms=50)) as (carrier, port), bound(config(port)) as client:
        outcome = await client.carrier.submit(sms())
        carrier.hang_up()
        await client.until(lambda: len(client.receipts) == 1)
        assert isinstance(outcome, Sent)
        assert client.events.names.count("bound") == 2


async def test_a_receipt_that_could_not_be_stored_comes_again() -> None:
    seen: list[ReceiptSeen] = []

    async def store(receipt: ReceiptSeen) -> None:
        seen.append(receipt)
        if len(seen) == 1:
            raise NotStoredError

    async with sandbox() as (carrier, port), bound(config(port), store) as client:
        await client.carrier.submit(sms())
        await client.until(lambda: len(seen) == 2)
        assert seen[0].provider_id == seen[1].provider_id
        assert client.events.not_stored == 1
        assert carrier.book.counts["receipts_refused"] == 1


async def test_a_wrong_password_waits_long_and_raises_an_alert() -> None:
    async with sandbox() as (_, port), bound(config(port, password="wrong"), wait=False) as client:
        await client.until(lambda: bool(client.events.refusals))
        assert client.events.refusals == [(0x0E, 60_000)]
        outcome = await client.carrier.submit(sms(expires_at_ms=now_ms() + 50))
        assert outcome == Failed(permanent=False, code="not_bound", detail="no bind until it expired")


async def test_draining_answers_what_is_under_way_and_gives_back_what_is_not() -> None:
    async with sandbox(SandboxConfig(delay_ms=100)) as (_, port), bound(config(port, window=1)) as client:
        first = asyncio.create_task(client.carrier.submit(sms(message_id="a")))
        second = asyncio.create_task(client.carrier.submit(sms(message_id="b")))
        await client.until(lambda: client.carrier.in_flight == 1 and client.carrier.queued == 1)
        await client.carrier.drain(2_000)
        assert isinstance(await first, Sent)
        waiting = await second
        assert isinstance(waiting, Failed)
        assert (waiting.code, waiting.permanent) == ("draining", False)
        assert (await client.carrier.submit(sms())) == Failed(
            permanent=False, code="draining", detail="not written before the client stopped"
        )


async def test_the_rate_of_the_account_is_kept_over_all_binds() -> None:
    async with sandbox() as (_, port), bound(config(port, tps=100, binds=2)) as client:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await send_all(client, ["+4599000003"] * 40)
        assert loop.time() - begin >= 0.29  # ten at once, the rest at ten milliseconds


async def test_the_simulated_carrier_runs_as_a_process_and_stops_when_told() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.sandbox.carrier", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        port = int(json.loads(await process.stdout.readline())["listening"].rsplit(":", 1)[1])
        async with bound(config(port)) as client:
            assert isinstance(await client.carrier.submit(sms()), Sent)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        assert json.loads(await process.stdout.readline())["stopped"]["accepted"] == 1


async def test_tls_is_spoken_only_with_a_carrier_whose_certificate_is_trusted(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)
    async with sandbox(tls=context) as (_, port):
        async with bound(config(port, tls=True, tls_ca=str(certificate))) as client:
            assert isinstance(await client.carrier.submit(sms()), Sent)
        async with bound(config(port, tls=True), wait=False) as stranger:
            await stranger.until(lambda: bool(stranger.events.unbounds))
            assert stranger.events.unbounds[0] == "connect_SSLCertVerificationError"


async def test_a_client_that_stops_gives_back_what_still_waits() -> None:
    async with sandbox() as (_, port):
        async with bound(config(port, password="wrong"), wait=False) as client:
            waiting = asyncio.create_task(client.carrier.submit(sms()))
            await client.until(lambda: client.carrier.queued == 1)
        outcome = await waiting
        assert isinstance(outcome, Failed)
        assert outcome.code == "draining"


async def test_connections_lost_in_mid_flight_neither_lose_nor_repeat_a_message(tmp_path: Path) -> None:
    count = 400
    path = tmp_path / "book"
    slow = SandboxConfig(delay_ms=10)
    async with sandbox(slow, Book(path)) as (carrier, port), bound(config(port, binds=2, window=20)) as client:
        attempts = [sms(f"text {number}", message_id=f"m{number}") for number in range(count)]
        sending = asyncio.gather(*[client.carrier.submit(attempt) for attempt in attempts])
        for accepted in (50, 150, 250):
            await client.until(lambda floor=accepted: carrier.book.counts["accepted"] >= floor)  # type: ignore[misc]
            carrier.hang_up()
        outcomes = await sending
        texts = [json.loads(line)["text"] for line in path.read_text().splitlines()]
        assert len(texts) == len(set(texts))
        for attempt, outcome in zip(attempts, outcomes, strict=True):
            assert isinstance(outcome, Sent | Unknown)
            assert isinstance(outcome, Unknown) or attempt.text in texts
        assert 0 < sum(isinstance(outcome, Unknown) for outcome in outcomes) <= 3 * 2 * 20
        await client.until(lambda: len({receipt.provider_id for receipt in client.receipts}) == len(texts))
