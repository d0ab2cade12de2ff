"""The SMTP server's session as a target: the real one on aiosmtpd's protocol, with no socket under it."""

import asyncio
import base64
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from ingress.expiring import Expiring
from ingress.smtp.login import Login
from ingress.smtp.room import Doors, Room
from ingress.smtp.services import Services
from ingress.smtp.session import SmtpSession
from ingress.smtp.settings import SmtpServerSettings
from ingress.smtp.shared import Shared
from streams.fuzz import mail_seeds, stand_ins
from streams.fuzz.target import Target, expect

MAX_PIECES: Final = 5
MAX_TURNS: Final = 5_000
MAX_MESSAGE: Final = 100_000
SETTINGS: Final = SmtpServerSettings(
    hostname="mail.example", failure_delay_ms=0, allow_plaintext_auth=True, max_message=MAX_MESSAGE
)
_REPLY: Final = re.compile(rb"[2-5]\d\d[ -][^\r\n]*")


@dataclass(slots=True)
class CountingMeter:
    """Implements the meter of the SMTP ports; remembers how sessions ended."""

    outcomes: Counter[str] = field(default_factory=Counter)

    def session(self, outcome: str) -> None:
        """Count it."""
        self.outcomes[outcome] += 1

    def login(self, outcome: str) -> None:
        """Nothing."""

    def message(self, code: int, octets: int, seconds: float) -> None:
        """Nothing."""

    def watch_connections(self, count: Callable[[], int]) -> None:
        """Nothing."""


async def smtp_target(octets: bytes) -> None:
    """Whatever comes, the session answers in replies, does not crash, and leaves nothing behind."""
    meter = CountingMeter()
    services = Services(
        stand_ins.AcceptingDesk(),
        stand_ins.resolve,
        stand_ins.config(),
        lambda: stand_ins.NOW_MS,
        stand_ins.numbers(),
        meter,
    )
    login = Login(services, SETTINGS, Expiring(16, 1_000, lambda: 0))
    room = Room(SETTINGS.max_buffered)
    shared = Shared(SETTINGS, services, login, room, Doors(4, 4))
    session = SmtpSession(shared, asyncio.get_running_loop())
    transport = stand_ins.MemoryTransport(session)
    session.connection_made(transport)
    await asyncio.sleep(0)
    pieces = 1 + len(octets) % MAX_PIECES
    for number in range(pieces):
        if not transport.is_closing():
            session.data_received(octets[len(octets) * number // pieces : len(octets) * (number + 1) // pieces])
        await asyncio.sleep(0)
    if not transport.is_closing():
        session.eof_received()
    over = await stand_ins.settled(session.task.done, MAX_TURNS)
    transport.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if not over:
        session.task.cancel()
        await asyncio.wait([session.task])
    expect(over, "the session ends with its client")
    if not session.task.cancelled() and (error := session.task.exception()) is not None:
        raise error
    expect(not meter.outcomes["crashed"], "the session does not crash")
    expect(not list(shared.sessions()), "no session is left behind")
    lines = bytes(transport.written).split(b"\r\n")
    expect(lines.pop() == b"" and all(_REPLY.fullmatch(line) for line in lines), "every line is one of a reply")


def _dialogue(chance: Random) -> bytes:
    """A session of commands in an order that is often right, and messages."""
    lines = [_LOGIN] if chance.random() < 0.7 else []
    for _ in range(chance.randrange(1, 6)):
        lines.append(_TRANSACTION if chance.random() < 0.6 else chance.choice(_TOKENS))
        if chance.random() < 0.6:
            lines.append(chance.choice(mail_seeds.MESSAGES) + b"\r\n.\r\n")
    return b"".join(lines)


_PROOF: Final = base64.b64encode(f"\0{stand_ins.USER}\0{stand_ins.WORD}".encode())
_LOGIN: Final = b"EHLO client.example\r\nAUTH PLAIN " + _PROOF + b"\r\n"
_TRANSACTION: Final = b"MAIL FROM:<news@acme.example> SIZE=100\r\nRCPT TO:<a@b.example>\r\nDATA\r\n"
_TOKENS: Final = (
    b"EHLO x\r\n", b"HELO x\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<postmaster>\r\n", b"DATA\r\n", b"\r\n.\r\n",
    b"\n.\n", b"\r\n.\n", b"\r.\r", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"STARTTLS\r\n", b"AUTH LOGIN\r\n",
    b"AUTH PLAIN =\r\n", b"*\r\n", b"VRFY a\r\n", b"BDAT 10 LAST\r\n", b" SMTPUTF8", b" BODY=8BITMIME",
    b'MAIL FROM:<"a b"@c.example>\r\n', b"Received: x\r\n" * 60, b"..\r\n",
)  # fmt: skip
SMTP_TARGET: Final = Target(
    "smtp-session",
    smtp_target,
    (
        _LOGIN + _TRANSACTION + b"Subject: Hi\r\nFrom: news@acme.example\r\n\r\nHello\r\n.\r\nQUIT\r\n",
        _LOGIN + _TRANSACTION + mail_seeds.MESSAGES[1] + b"\r\n.\r\n",
        b"EHLO x\r\nAUTH LOGIN\r\n"
        + base64.b64encode(b"acme")
        + b"\r\n"
        + base64.b64encode(b"secret")
        + b"\r\nQUIT\r\n",
        b"HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
    ),
    _TOKENS,
    _dialogue,
)
