"""The mail code as targets: messages, reports, complaints, addresses, and the records that strangers publish."""

from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from domain.validation.addresses import is_mailbox
from schemas.mail.addresses import addresses
from schemas.mail.arf import parse_complaint
from schemas.mail.bounce import parse_bounces
from schemas.mail.bounce_reason import reason_of
from schemas.mail.dkim_key import KeyRecordError, parse_key
from schemas.mail.dkim_verify import verify
from schemas.mail.dmarc import parse_dmarc
from schemas.mail.dns import AddressKind
from schemas.mail.fields import MailError
from schemas.mail.mailbox import form_of
from schemas.mail.mime import parse_mail
from schemas.mail.spf import check_host
from streams.fuzz import mail_seeds as seeds
from streams.fuzz.target import Target, expect

NOW_S: Final = 1_800_000_000
RESULTS: Final = frozenset({"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"})


@dataclass(slots=True)
class HostileDns:
    """Answers every question with what the input holds; counts them."""

    texts: tuple[bytes, ...]
    asked: int = 0

    async def txt(self, _name: str) -> tuple[bytes, ...]:
        """One of the texts by turns."""
        self.asked += 1
        return (self.texts[self.asked % len(self.texts)],) if self.texts else ()

    async def addresses(self, _name: str, kind: AddressKind) -> tuple[str, ...]:
        """Two addresses."""
        self.asked += 1
        return ("192.0.2.1", "192.0.2.2") if kind == "A" else ("2001:db8::1",)

    async def mx(self, _name: str) -> tuple[tuple[int, str], ...]:
        """More hosts than may be asked for."""
        self.asked += 1
        return tuple((10, f"mx{number}.example") for number in range(12))

    async def ptr(self, _name: str) -> tuple[str, ...]:
        """Names that point back."""
        self.asked += 1
        return tuple(f"h{number}.example" for number in range(12))


MAX_QUESTIONS: Final = 250
"""Ten mechanisms with ten names each, twice, and some."""


def mime_target(octets: bytes) -> None:
    """A message is read, or refused with a code; names lead nowhere."""
    try:
        mail = parse_mail(octets)
    except MailError as error:
        expect(error.code.startswith("5."), "a refusal has a status")
        return
    (mail.subject + mail.text + mail.html).encode("utf-8", "surrogatepass").decode()
    for attachment in mail.attachments:
        expect("/" not in attachment.filename and "\\" not in attachment.filename, "a name is one component")
    for name in ("from", "to", "cc"):
        for value in mail.root.header.all(name):
            addresses(value)


def bounce_target(octets: bytes) -> None:
    """A report names recipients or is none."""
    try:
        found = parse_bounces(octets)
    except MailError:
        return
    expect(all(one.recipient for one in found), "a bounce has a recipient")
    expect(not any(one.hard and one.status.startswith("4") for one in found), "what is temporary is not hard")


def complaint_target(octets: bytes) -> None:
    """A complaint is read or is none."""
    try:
        parse_complaint(octets)
    except MailError:
        return


def reply_target(octets: bytes) -> None:
    """Whatever a server says has a reason."""
    said = octets.decode("utf-8", "replace")
    reason_of(said, said[4:9], said[:3])


def address_target(octets: bytes) -> None:
    """What the product takes for a mailbox can go over the wire."""
    address = octets.decode("utf-8", "replace")
    form = form_of(address)
    if address.isascii() and is_mailbox(address):
        expect(form in ("plain", "smtp"), f"{form} is taken")
    addresses(octets)


def spf_target(octets: bytes) -> None:
    """Any records give one of the results, after a bounded number of questions."""
    lines = tuple(octets.split(b"\n"))
    dns = HostileDns(lines)
    answer = _ended(check_host(dns, "192.0.2.200", "a@d.example", "h.example"))
    expect(answer.result in RESULTS, "a result of the RFC")
    expect(dns.asked <= MAX_QUESTIONS, f"{dns.asked} questions")


def dkim_target(octets: bytes) -> None:
    """Any signature is worth something or nothing."""
    key, _, raw = octets.partition(b"\n")
    with suppress(KeyRecordError):
        parse_key(key)
    try:
        _ended(verify(HostileDns((key,)), raw, NOW_S))
    except MailError:
        return


def dmarc_target(octets: bytes) -> None:
    """A record is read or is none."""
    parse_dmarc(octets.split(b"\n"))


def _ended(work: Coroutine[Any, Any, Any]) -> Any:
    """The answer of a coroutine that waits for nobody."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("the coroutine waits")


MAIL_TARGETS: Final = (
    Target("mime", mime_target, seeds.MESSAGES, seeds.MIME_TOKENS, seeds.nested_message),
    Target("bounce", bounce_target, seeds.REPORTS, seeds.REPORT_TOKENS),
    Target("complaint", complaint_target, seeds.COMPLAINTS, seeds.MIME_TOKENS),
    Target("reply", reply_target, seeds.REPLIES, seeds.REPLY_TOKENS),
    Target("address", address_target, seeds.ADDRESSES, seeds.ADDRESS_TOKENS),
    Target("spf", spf_target, seeds.SPF_RECORDS, seeds.SPF_TOKENS),
    Target("dkim", dkim_target, seeds.SIGNED, seeds.DKIM_TOKENS),
    Target(
        "dmarc",
        dmarc_target,
        seeds.DMARC_RECORDS,
        (b"v=DMARC1", b";", b"p=", b"psd=y", b"t=y", b"rua=", b"=", b",mailto:"),
    ),
)
