"""Mail from outside over SMTP: for the tenants' domains only, checked, marked and handed on."""

from dataclasses import dataclass, field

from domain.errors import TransientError
from domain.tenant import Tenant
from ingress.smtp.inbound import Envelope, RelayDenied
from tests.integration.smtp_gate import Client, client, gate
from tests.unit.schemas.mail.zone import Records, Zone

MAIL = "From: Bob <bob@b.example>\r\nSubject: Hi\r\nAuthentication-Results: mail.hermes.test; dmarc=pass\r\n\r\nHello"
POLICY: dict[tuple[str, str], Records] = {
    ("b.example", "TXT"): ("v=spf1 ip4:127.0.0.1 -all",),
    ("evil.example", "TXT"): ("v=spf1 ip4:127.0.0.1 -all",),
    ("_dmarc.b.example", "TXT"): ("v=DMARC1; p=reject",),
    ("_dmarc.down.example", "TXT"): None,
}


@dataclass(slots=True)
class Inbox:
    """Takes everything for tenants but for `nobody@`, and keeps it."""

    mails: list[Envelope] = field(default_factory=list)
    error: Exception | None = None

    async def recipient(self, tenant: Tenant | None, address: str) -> str:
        """No for nobody."""
        if tenant is None:
            return "550 5.7.1 Relaying denied"
        return "550 5.1.1 There is nobody" if address.startswith("nobody@") else "250 2.1.5 Ok"

    async def deliver(self, mail: Envelope) -> str:
        """Keep it, or fail as told."""
        if self.error is not None:
            raise self.error
        self.mails.append(mail)
        return "250 2.0.0 Ok: taken"


async def hand_in(c: Client, content: str, sender: str = "bob@b.example") -> str:
    """One mail to the tenant."""
    await c.say("EHLO client.test")
    assert await c.say(f"MAIL FROM:<{sender}>") == "250 2.1.0 Ok"
    assert await c.say("RCPT TO:<sales@acme.example>") == "250 2.1.5 Ok"
    assert (await c.say("DATA")).startswith("354")
    return await c.say(content + "\r\n.")


async def test_mail_for_a_tenants_domain_is_checked_marked_and_handed_on() -> None:
    inbox = Inbox()
    async with gate(inbound=inbox, dns=Zone(POLICY)) as g, client(g.port) as c:
        assert await hand_in(c, MAIL) == "250 2.0.0 Ok: taken"
    mail = inbox.mails[0]
    assert mail.tenant is not None
    assert (mail.tenant.tenant_id, mail.mail_from, mail.recipients) == ("t1", "bob@b.example", ("sales@acme.example",))
    assert mail.checked is not None
    assert (mail.checked.spf.result, mail.checked.dmarc.result) == ("pass", "pass")
    assert mail.raw == (
        b"Return-Path: <bob@b.example>\r\nAuthentication-Results: mail.hermes.test;\r\n"
        b" spf=pass smtp.mailfrom=b.example;\r\n dkim=none;\r\n dmarc=pass header.from=b.example\r\n"
        b"Received: from client.test ([127.0.0.1])\r\n by mail.hermes.test with ESMTP;\r\n"
        b" Fri, 15 Jan 2027 08:00:00 +0000\r\nFrom: Bob <bob@b.example>\r\nSubject: Hi\r\n\r\nHello\r\n"
    )


async def test_mail_that_pretends_is_rejected_when_its_domain_asks_for_it() -> None:
    inbox = Inbox()
    async with gate(inbound=inbox, dns=Zone(POLICY)) as g, client(g.port) as c:
        assert (await hand_in(c, MAIL, "x@evil.example")).startswith("550 5.7.26")
        assert (await hand_in(c, MAIL.replace("From:", "From: x@y.example\r\nFrom:"))).startswith("550 5.7.26")
        assert (await hand_in(c, "From: a@down.example\r\n\r\nx")).startswith("451 4.7.26")
        assert (await hand_in(c, "X-Hermes-Trace: 1\r\n" + MAIL)).startswith("554 5.4.6")
        assert inbox.mails == []


async def test_other_domains_and_unknown_recipients_are_refused_one_by_one() -> None:
    async with gate(inbound=Inbox()) as g, client(g.port) as c:
        await c.say("EHLO client.test")
        await c.say("MAIL FROM:<>")
        assert await c.say("RCPT TO:<ann@b.example>") == "550 5.7.1 Relaying denied"
        assert await c.say("RCPT TO:<nobody@acme.example>") == "550 5.1.1 There is nobody"
        assert await c.say("RCPT TO:<sales@ACME.example>") == "250 2.1.5 Ok"


async def test_guessing_recipients_ends_the_session() -> None:
    async with gate(inbound=Inbox()) as g, client(g.port) as c:
        await c.say("EHLO client.test")
        await c.say("MAIL FROM:<>")
        await c.send(b"".join(b"RCPT TO:<nobody@%d.example>\r\n" % n for n in range(30)))
        replies = [await c.hear() for _ in range(21)]
        assert replies[-1].startswith("421 4.7.0 Too many errors")


async def test_an_inbox_that_is_away_is_a_451_and_the_default_takes_nothing() -> None:
    async with gate(inbound=Inbox(error=TransientError("away", 1_000))) as g, client(g.port) as c:
        assert (await hand_in(c, MAIL)).startswith("451 4.3.0")
    async with gate(inbound=RelayDenied()) as g, client(g.port) as c:
        await c.say("EHLO client.test")
        await c.say("MAIL FROM:<>")
        assert await c.say("RCPT TO:<sales@acme.example>") == "550 5.1.1 Relay denied"
