"""Mail of tenants over SMTP: it becomes submissions, and their verdicts become replies."""

import asyncio
import smtplib
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage

import pytest

from domain.errors import FieldError, TransientError
from domain.message import Submission
from domain.verdict import Reject, Verdict
from tests.fakes.fake_desk import FakeDesk, accept
from tests.integration.smtp_gate import ACME, PASSWORD, USER, client, gate, mail, quick


def refusing(reject: Reject, *addresses: str) -> Callable[[Submission], Verdict]:
    """Verdicts that refuse some recipients, all when none is named."""

    def decide(submission: Submission) -> Verdict:
        request = submission.request
        hit = not addresses or (request is not None and request.to.email in addresses)
        return replace(accept(submission), reject=reject if hit else None)

    return decide


async def test_a_message_becomes_one_submission_for_each_recipient() -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        text = mail("X-Hermes-Reference: order-7", "X-Hermes-Metadata: shop=eu", 'X-Hermes-Metadata: {"a": "b"}')
        reply = await c.hand_in(text, "Ann@B.Example", "bob@c.example")
    first, second = g.desk.submitted
    assert reply == (
        f"250-2.0.0 Ok: 2 of 2 queued\n250-2.0.0 <Ann@b.example> queued as {first.message_id}\n"
        f"250 2.0.0 <bob@c.example> queued as {second.message_id}"
    )
    request = first.request
    assert request is not None
    assert (first.protocol, first.tenant_id, first.key_id, first.config_version) == ("smtp", "t1", "key-1", 2)
    assert request.to.email == "Ann@b.example"
    assert [step.channel for step in request.steps] == ["email"]
    assert (request.body.text.strip(), request.body.html, request.body.subject) == ("Hello", "", "Hi")
    assert (request.reference, request.metadata) == ("order-7", {"shop": "eu", "a": "b"})
    assert request.sender == "news@acme.example"
    assert first.idempotency_key == "<1@acme.example> Ann@b.example"
    assert first.fingerprint != second.fingerprint


async def test_a_repeated_message_has_the_same_key_and_fingerprint_whatever_path_it_took() -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        await c.hand_in(mail("Date: Mon, 1 Jan 2026 10:00:00 +0000"))
        await c.hand_in("Received: from elsewhere\r\n" + mail("Date: Mon, 1 Jan 2026 10:05:00 +0000"))
    first, second = g.desk.submitted
    assert (first.idempotency_key, first.fingerprint) == (second.idempotency_key, second.fingerprint)


async def test_a_message_without_a_message_id_is_new_each_time() -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        await c.hand_in("From: news@acme.example\r\nSubject: alert\r\n\r\nDisk full")
    assert g.desk.submitted[0].idempotency_key == ""


async def test_nothing_is_said_before_the_message_is_durable() -> None:
    desk = FakeDesk(hold=asyncio.Event())
    async with gate(desk=desk) as g, client(g.port, log_in=True) as c:
        await c.address()
        await c.send(mail().encode() + b"\r\n.\r\n")
        assert await desk.arrivals.get() == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await c.reader.readline()
        assert desk.hold is not None
        desk.hold.set()
        assert (await c.hear()).startswith("250 2.0.0 Ok: queued as msg-")


@pytest.mark.parametrize(
    ("reject", "reply"),
    [
        (
            Reject(3, "rate_limit_exceeded", "Slow down.", retry_after_ms=1_500),
            "451 4.7.1 Slow down. (try again in 2 s)",
        ),
        (Reject(4, "insufficient_balance", "Top up."), "552 5.2.2 Top up."),
        (
            Reject(5, "validation_failed", "Bad.", (FieldError("sender", "x", "must be yours"),)),
            "554 5.6.0 Bad. [sender: must be yours]",
        ),
        (Reject(6, "compliance_blocked", "No.", compliance_code="GDPR-1"), "550 5.7.1 No. (GDPR-1)"),
        (Reject(2, "tenant_provisioning", "Wait."), "451 4.3.0 Wait."),
        (Reject(2, "tenant_suspended", "Sus\r\npended é."), "550 5.7.1 Sus  pended ?."),
    ],
)
async def test_a_refusal_is_told_with_its_own_code(reject: Reject, reply: str) -> None:
    async with gate(desk=FakeDesk(decide=refusing(reject))) as g, client(g.port, log_in=True) as c:
        assert await c.hand_in(mail()) == reply


async def test_a_recipient_refused_for_good_does_not_hold_the_others_up() -> None:
    desk = FakeDesk(decide=refusing(Reject(6, "compliance_blocked", "No."), "bob@c.example"))
    async with gate(desk=desk) as g, client(g.port, log_in=True) as c:
        reply = await c.hand_in(mail(), "ann@b.example", "bob@c.example")
    assert reply.startswith("250-2.0.0 Ok: 1 of 2 queued")
    assert reply.endswith("250 2.0.0 <bob@c.example> refused: 550 5.7.1 No.")


async def test_a_recipient_refused_for_now_makes_the_client_repeat_the_whole() -> None:
    desk = FakeDesk(decide=refusing(Reject(3, "rate_limit_exceeded", "Slow down."), "bob@c.example"))
    async with gate(desk=desk) as g, client(g.port, log_in=True) as c:
        assert await c.hand_in(mail(), "ann@b.example", "bob@c.example") == "451 4.7.1 Slow down."


async def test_a_pipeline_that_does_not_answer_is_a_451() -> None:
    async with gate(desk=FakeDesk(error=TransientError("secret detail", 1_000))) as g, client(g.port, log_in=True) as c:
        assert (await c.hand_in(mail())).startswith("451 4.3.0 Hermes cannot answer in time")
        assert g.meter.messages[0][0] == 451


async def test_a_pipeline_that_hangs_is_a_451() -> None:
    desk = FakeDesk(hold=asyncio.Event())
    async with gate(quick(answer_ms=30), desk) as g, client(g.port, log_in=True) as c:
        assert (await c.hand_in(mail())).startswith("451 4.3.0")


async def test_an_unknown_rule_is_told_by_layer_5() -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        await c.hand_in(mail("X-Hermes-Rule: none-such"))
    assert g.desk.submitted[0].request is None
    assert [error.code for error in g.desk.submitted[0].errors] == ["unknown_rule"]


@pytest.mark.parametrize(
    ("content", "reply"),
    [
        (mail("X-Hermes-Trace: 1"), "554 5.4.6 The message goes in a circle"),
        (mail(*["Received: from a by b"] * 51), "554 5.4.6 The message goes in a circle"),
        (mail("X-Hermes-Colour: red"), "554 5.6.0 The field x-hermes-colour is not known"),
        (mail("X-Hermes-Metadata: red"), "554 5.6.0 X-Hermes-Metadata is name=value or a JSON object of texts"),
        (mail('X-Hermes-Metadata: {"a": 1}'), "554 5.6.0 X-Hermes-Metadata is name=value or a JSON object of texts"),
        (mail("Subject: again"), "554 5.6.0 The field subject is there twice"),
        ("From: a@b.example, c@d.example\r\n\r\nx", "554 5.6.0 The field From must name one mailbox"),
        (mail("X: " + "a " * 60_000), "550 5.6.0 A line is longer than 8192 octets"),
        (mail(*["X: " + "a" * 1_000] * 110), "552 5.3.4 The header is longer than 102400 octets"),
        (
            mail('Content-Type: application/pdf; name="a.pdf"', "Content-Transfer-Encoding: base64", body="AAAA"),
            "554 5.6.1 Attachments are not taken (application/pdf)",
        ),
    ],
)
async def test_content_that_cannot_be_sent_is_refused_and_the_session_goes_on(content: str, reply: str) -> None:
    async with gate() as g, client(g.port, log_in=True) as c:
        assert await c.hand_in(content) == reply
        assert (await c.hand_in(mail())).startswith("250 2.0.0")
        assert len(g.desk.submitted) == 1


async def test_pictures_that_the_html_shows_are_left_out_and_told() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "news@acme.example", "Grüße"
    message.set_content("Plain")
    message.add_alternative("<img src='cid:x'>", subtype="html")
    message.get_payload()[1].add_related(b"GIF", "image", "gif", cid="<x>")  # type: ignore[union-attr,index]
    async with gate() as g, client(g.port, log_in=True) as c:
        reply = await c.hand_in(message.as_bytes().replace(b"\n", b"\r\n").replace(b"\r\r", b"\r"))
    request = g.desk.submitted[0].request
    assert request is not None
    assert (request.body.text, request.body.html.strip()) == ("Plain\n", "<img src='cid:x'>")
    assert request.body.subject == "Grüße"
    assert reply.endswith("(1 inline parts left out)")


async def test_an_ordinary_client_gets_through() -> None:
    def send(port: int) -> dict[str, tuple[int, bytes]]:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "news@acme.example", "ann@b.example", "Hi"
        message.set_content(".dot\n..dots\n.\nend\n")
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
            smtp.login(USER, PASSWORD)
            return smtp.send_message(message)

    async with gate() as g:
        assert await asyncio.to_thread(send, g.port) == {}
    request = g.desk.submitted[0].request
    assert request is not None
    assert request.body.text == ".dot\n..dots\n.\nend\n"


async def test_a_suspended_tenant_is_refused_at_mail_and_a_blocked_recipient_at_rcpt() -> None:
    async with gate(tenant=replace(ACME, status="suspended")) as g, client(g.port, log_in=True) as c:
        assert await c.say("MAIL FROM:<a@acme.example>") == "550 5.7.1 The account is suspended"
    async with (
        gate(tenant=replace(ACME, blocked_recipients=("no@b.example",))) as g,
        client(g.port, log_in=True) as c,
    ):
        await c.say("MAIL FROM:<a@acme.example>")
        assert await c.say("RCPT TO:<no@b.example>") == "550 5.7.1 You have blocked this recipient"
        assert await c.say("DATA") == "554 5.5.1 No valid recipients"
