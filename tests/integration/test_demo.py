"""The demo's SMPP and SMTP clients against servers that are not ours. The demo as a whole is run by `.ci/run`."""

import asyncio
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from deploy.sandbox.carrier import SandboxCarrier
from deploy.sandbox.carrier_book import Book, SandboxConfig
from streams.demo.protocols import Account, submit_mail, submit_sm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]


async def test_the_smpp_client_gets_its_id_and_the_receipt_of_the_same_message() -> None:
    carrier = SandboxCarrier(SandboxConfig(), Book())
    port = await carrier.start()
    try:
        account = Account("127.0.0.1", port, "hermes", "secret")
        async with asyncio.timeout(20):
            told, receipt_id, stat = await asyncio.to_thread(submit_sm, account, "+4599000001", "Hermes demo")
    finally:
        await carrier.stop()
    assert told
    assert (receipt_id, stat) == (told, "DELIVRD")


class Queue:
    """Takes mail as Hermes does."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        octets = envelope.original_content or b""
        if b"\n" in octets.replace(b"\r\n", b""):
            return "550 5.5.2 A message holds no bare CR or LF"
        return f"250 2.0.0 Ok: queued as msg-{len(envelope.rcpt_tos)}"


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"demo", b"secret"))


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_the_smtp_client_logs_in_and_gives_the_last_reply() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Queue(), authenticator=authenticate, auth_required=True, auth_require_tls=False, loop=loop),
        "127.0.0.1",
    )
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Demo <news@demo.example>", "someone@sandbox.hermes.dev", "Hermes demo"
    mail.set_content("Hermes demo")
    account = Account("127.0.0.1", server.sockets[0].getsockname()[1], "demo", "secret")
    try:
        async with asyncio.timeout(20):
            answer = await asyncio.to_thread(submit_mail, account, mail)
    finally:
        server.close()
    assert answer == (250, "2.0.0 Ok: queued as msg-1")
