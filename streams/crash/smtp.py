"""A tenant's mail client: hands a mail in with its Message-ID until it is answered for good."""

import asyncio
import re
import smtplib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from streams.crash.history import History
from streams.crash.items import Item
from streams.demo.protocols import Account, submit_mail

RETRY_S: Final = 0.5
DOMAIN: Final = "a.crash.example"
TEMPORARY: Final = 4
_QUEUED = re.compile(r"queued as (msg-[0-9A-Za-z-]+)")


@dataclass(frozen=True, slots=True)
class Mails:
    """SMTP with AUTH; `account` says where the gateway is now; each mail under way takes one of `threads`."""

    account: Callable[[], Account]
    history: History
    threads: Executor

    async def send(self, item: Item) -> None:
        """Hand the mail in until it is accepted or refused."""
        mail, loop = mail_of(item), asyncio.get_running_loop()
        while True:
            try:
                status, reply = await loop.run_in_executor(self.threads, submit_mail, self.account(), mail)
            except smtplib.SMTPResponseException as error:
                status, reply = error.smtp_code, f"{error.smtp_error!r}"
            except (smtplib.SMTPException, OSError):  # the gateway is away, or went in the middle
                status, reply = TEMPORARY * 100, ""
            if found := _QUEUED.search(reply):
                self.history.accepted(item, found[1])
                return
            if status // 100 == TEMPORARY + 1:
                self.history.refused(item, f"{status} {reply[:100]}")
                return
            self.history.repeats += 1
            await asyncio.sleep(RETRY_S)


def mail_of(item: Item) -> EmailMessage:
    """The mail of a message; its Message-ID is its key."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Crash <news@{DOMAIN}>", item.mailbox, item.tag
    mail["Message-ID"] = f"<{item.tag}@{DOMAIN}>"
    mail["X-Hermes-Reference"] = item.tag
    mail.set_content(item.tag)
    return mail
