"""One message handed in through SMPP and one through SMTP, by clients that are not ours, and found again through REST."""

import asyncio
import re
import smtplib
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any, Final

from smpplib import consts
from smpplib.client import Client as SmppClient

from ingress.smpp.ids import message_id_of
from streams.demo import api as rest
from streams.demo.expectations import Checks
from streams.demo.world import DELIVERED, MAIN, World

TIMEOUT_S: Final = 10.0
"""Of each socket operation."""
RECEIPT_WITHIN_S: Final = 15.0
MAX_PDUS: Final = 100
ALL_RECEIPTS: Final = 1
"""registered_delivery (SMPP 3.4 section 5.2.17)."""
_QUEUED = re.compile(r"queued as (msg-[0-9A-Za-z-]+)")
_RECEIPT = re.compile(r"\bid:(\S+).* stat:(\S+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Account:
    """Where to log in, and as whom."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


async def smpp(world: World, checks: Checks) -> None:
    """A submit_sm is accepted, delivered, charged, and its receipt comes back over the same bind."""
    text = world.text("SMPP")
    tenant = world.tenant(MAIN)["smpp"]
    account = _account(str(world.document["smpp"]), str(tenant["system_id"]), str(tenant["password"]))
    told, receipt_id, stat = await asyncio.to_thread(submit_sm, account, DELIVERED, text)
    message_id = message_id_of(told)
    checks.expect("submit_sm_resp names a message", message_id is not None, told)
    checks.equal("the receipt is for that message and says DELIVRD", (receipt_id, stat), (told, "DELIVRD"))
    await _delivered(world, checks, message_id or "")
    checks.equal("the carrier took it once", world.books.texts()[text], 1)


async def smtp(world: World, checks: Checks) -> None:
    """A mail handed in by SMTP with AUTH is accepted, delivered and charged."""
    mailbox, domain = world.mailbox("delivered", "smtp"), "demo.example"
    tenant = world.tenant(MAIN)["smtp"]
    account = _account(str(world.document["smtp"]), str(tenant["user"]), str(tenant["password"]))
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Demo <news@{domain}>", mailbox, world.text("SMTP")
    mail["Message-ID"] = f"<{world.run}-smtp@{domain}>"
    mail.set_content(world.text("SMTP"))
    status, reply = await asyncio.to_thread(submit_mail, account, mail)
    found = _QUEUED.search(reply)
    checks.equal("the mail is answered 250", status, 250)
    checks.expect("the reply names a message", found is not None, reply)
    await _delivered(world, checks, found[1] if found else "")
    checks.equal("the mail host took it once", world.books.mailboxes()[mailbox], 1)


def submit_sm(account: Account, number: str, text: str) -> tuple[str, str, str]:
    """Bind, submit, wait for the receipt: the id that the response has, the id and the state that the receipt has.

    Empty strings stand for what did not come in time. smpplib's exceptions, or TimeoutError, when the peer refuses or is
    silent.
    """
    told: list[str] = []
    receipts: list[str] = []

    def received(pdu: Any) -> int:
        receipts.append(pdu.short_message.decode("latin-1"))
        return int(consts.SMPP_ESME_ROK)

    client = SmppClient(account.host, account.port, timeout=TIMEOUT_S, allow_unknown_opt_params=True)
    client.set_message_sent_handler(lambda pdu: told.append(pdu.message_id.decode("ascii")))
    client.set_message_received_handler(received)
    with client:
        client.connect()
        client.bind_transceiver(system_id=account.user, password=account.password)
        client.send_message(
            source_addr_ton=consts.SMPP_TON_ALNUM, source_addr="Hermes", dest_addr_ton=consts.SMPP_TON_INTL,
            dest_addr_npi=consts.SMPP_NPI_ISDN, destination_addr=number.removeprefix("+"),
            short_message=text.encode("ascii"), registered_delivery=ALL_RECEIPTS,
        )  # fmt: skip
        deadline = time.monotonic() + RECEIPT_WITHIN_S
        for _ in range(MAX_PDUS):
            if (told and receipts) or time.monotonic() >= deadline:
                break
            client.read_once(auto_send_enquire_link=False)
    found = _RECEIPT.search(receipts[0]) if receipts else None
    return (told[0] if told else "", found[1] if found else "", found[2] if found else "")


def submit_mail(account: Account, mail: EmailMessage) -> tuple[int, str]:
    """Log in and hand the mail in: the status and text of the last reply; smtplib's SMTPException when it is refused."""
    with smtplib.SMTP(account.host, account.port, timeout=TIMEOUT_S) as server:
        server.login(account.user, account.password)
        server.mail(str(mail["From"].addresses[0].addr_spec))
        server.rcpt(str(mail["To"].addresses[0].addr_spec))
        status, reply = server.data(mail.as_bytes(policy=SMTP_POLICY))
    return status, reply.decode("ascii", "replace")


async def _delivered(world: World, checks: Checks, message_id: str) -> None:
    final = await rest.wait_final(world.api, message_id, world.patience_ms)
    checks.equal("REST shows it delivered", rest.state_of(final), "delivered")
    checks.expect("it is charged", bool(rest.micros(final)), rest.micros(final))
    world.charged[MAIN] += rest.micros(final) or 0
    checks.timeline.extend(rest.lines(message_id, await rest.events(world.api, message_id)))


def _account(address: str, user: str, password: str) -> Account:
    host, _, port = address.rpartition(":")
    return Account(host, int(port), user, password)
