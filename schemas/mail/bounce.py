"""What came back: which recipients a report is about, for what reason, and whether to write to them again."""

import re
from dataclasses import dataclass, replace
from typing import Final

from schemas.mail.addresses import addresses
from schemas.mail.bounce_json import events_of
from schemas.mail.bounce_reason import Command, is_hard, meaning, reason_of
from schemas.mail.bounce_text import addressee, any_address, own_text, said_of
from schemas.mail.bounce_types import Reason
from schemas.mail.dsn import STATUS_TYPES, Told, read_groups, told_of
from schemas.mail.parts import Part, parse_parts
from schemas.mail.words import text

MAX_BOUNCES: Final = 100
MAX_SAID_CHARS: Final = 4_000
MAX_HTML_CHARS: Final = 50_000

_REPLY = re.compile(
    r"(?:\A[ \t]{0,8}(?=2)|(?<![\d.\[])(?=[45]))([245]\d\d)(?=[ \-:,<(#]|$)(?! (?:hours|days|bytes))", re.MULTILINE
)
_STATUS = re.compile(r"(?<![\d.])#?([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_COMMAND = re.compile(
    r"(?:>>> |in reply to (?:end of )?|after (?:sending )?(?:end of )?|(?:did not like our|response to"
    r"|answer to) |command:?\s{1,3}|\[|\()"
    r"(rcpt|mail|data|ehlo|helo|initial connection)(?![a-z])",
    re.IGNORECASE,
)
_COMMANDS: Final[dict[str, Command]] = {
    "rcpt": "RCPT", "mail": "MAIL", "data": "DATA", "ehlo": "EHLO", "helo": "EHLO", "initial connection": "CONN",
}  # fmt: skip
_SENT_AUTOMATICALLY = re.compile(
    r"\bout of (?:the )?office\b|\bvacation\b|\bon (?:annual )?leave\b|\bauto(?:matic|mated)?[ -]?(?:reply|response|answer)"
    r"|^auto:|\bautoreply|\baway from (?:the |my )?(?:office|mail)|abwesen"
    r"|r[ée]ponse automatique|respuesta autom|risposta automatica"
    r"|\u81ea\u52d5(?:\u5fdc\u7b54|\u8fd4\u4fe1)|\u4e0d\u5728",
    re.IGNORECASE,
)
_ANSWERS: Final = ("x-autoreply", "x-auto-reply-from", "x-autorespond", "x-autoreply-from", "x-mail-autoreply")
_GOOD_ACTIONS: Final = frozenset({"delivered", "relayed", "expanded", "deliverable"})
_MACHINES: Final = ("mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon")
_TAG = re.compile(r"<[^<>]{0,1000}>")


@dataclass(frozen=True, slots=True)
class Bounce:
    """One recipient's fate. `status` and `code` are empty when nobody said one; `said` is what the server wrote."""

    recipient: str
    reason: Reason
    hard: bool
    status: str
    code: str
    action: str
    said: str


def parse_bounces(raw: bytes) -> tuple[Bounce, ...]:
    """The recipients that the report in `raw` is about, at most MAX_BOUNCES; empty when it is none. Raises MailError."""
    root = parse_parts(raw)
    prose, returned = _prose(root)
    told = [one for part in root.walk() if part.type in STATUS_TYPES for one in told_of(part)]
    lower = prose.lower()
    if not told and "final-recipient:" in lower:
        told = list(read_groups(prose[lower.rfind("\n\n", 0, lower.index("final-recipient:")) + 2 :].encode()))
    if told:
        return tuple(_of_told(one, prose, alone=len(told) == 1) for one in told[:MAX_BOUNCES])
    if prose.lstrip().startswith("{"):
        events = events_of(prose)[:MAX_BOUNCES]
        return tuple(
            _bounce(recipient, said, status, kind, "") for recipient, kind, status, said in events if recipient
        )
    if _is_automatic(root):
        sender = addresses(root.header.first("from"))[:1]
        return tuple(Bounce(address, "vacation", False, "", "", "", "") for _, address in sender)
    return tuple(_of_prose(root, prose, returned)[:MAX_BOUNCES])


def _prose(root: Part) -> tuple[str, str]:
    """What the report says to people, and the message that its text returns."""
    texts: list[str] = []
    returned = ""
    for part in root.leaves():
        if part.type == "text/plain":
            own, rest = own_text(part.text())
        elif part.type == "text/html" and not texts:
            own, rest = own_text(_TAG.sub(" ", part.text()[:MAX_HTML_CHARS]))
        else:
            continue
        texts.append(own)
        returned = returned or rest
    return "\n".join(texts), returned


def _of_told(told: Told, prose: str, *, alone: bool) -> Bounce:
    about = next((one.text for one in said_of(prose) if one.recipient.lower() == told.recipient.lower()), "")
    said = told.diagnostic
    if meaning(said) is None:
        said = f"{said}\n{about or (prose if alone else '')}".strip()
    found = _bounce(
        told.recipient, said, told.status, told.action, f"{told.diagnostic}\n{about}\n{prose if alone else ''}"
    )
    if found.reason in ("userunknown", "filtered") and alone:
        return _more_exact(found, prose)
    return found


def _more_exact(found: Bounce, prose: str) -> Bounce:
    """An unknown user, unless the report tells people what is wrong with a known one: full, or disabled."""
    clearer = meaning(prose, quotes=False)
    return replace(found, reason=clearer, hard=False) if clearer in ("mailboxfull", "suspend") else found


def _of_prose(root: Part, prose: str, returned: str) -> list[Bounce]:
    found = [(one.recipient, one.text) for one in said_of(prose)]
    failed = [address for _, address in addresses(root.header.first("x-failed-recipients"))]
    if failed:
        known = {address.lower(): said for address, said in found}
        found = [(address, known.get(address.lower(), prose)) for address in failed]
    if not found:
        found = [(any_address(prose) or addressee(returned) or _returned_to(root), prose)]
    return [
        _bounce(recipient, _telling(about, prose), "", "", about)
        for recipient, about in found
        if recipient and prose.strip()
    ]


def _telling(about: str, prose: str) -> str:
    """The text about a recipient when it says why, otherwise the whole."""
    if _code(about) or (meaning(about) and not _code(prose)):
        return about
    return prose


def _bounce(recipient: str, said: str, status: str, action: str, context: str) -> Bounce:
    status = _best_status(status, said)
    code = _code(said)
    if action in _GOOD_ACTIONS:
        reason: Reason = "delivered"
    elif action == "complaint":
        reason = "feedback"
    else:
        reason = reason_of(said, status, code, _command(f"{said}\n{context}"))
    return Bounce(recipient, reason, is_hard(reason, status), status, code, action, said[:MAX_SAID_CHARS])


def _command(context: str) -> Command:
    """The SMTP command that was refused: the last one that the text names."""
    found = _COMMAND.findall(context[: 2 * MAX_SAID_CHARS])
    return _COMMANDS[found[-1].lower()] if found else ""


def _best_status(status: str, said: str) -> str:
    """The status that says most: one in the server's words counts more than a general one (x.0.0)."""
    found = _STATUS.findall(said)
    fitting = [one for one in found if not one.endswith(".0.0") and (not status or one[0] == status[0])]
    if status and not status.endswith(".0.0"):
        return status if status in found or not fitting else fitting[0]
    return fitting[0] if fitting else status or (found[0] if found else "")


def _code(said: str) -> str:
    found = _REPLY.search(said)
    return found[1] if found else ""


def _is_automatic(root: Part) -> bool:
    """Whether a person's mail program answered, not a server."""
    sender = text(root.header.first("from")).lower()
    if any(name in sender for name in _MACHINES) or root.header.first("x-failed-recipients"):
        return False
    header = root.header
    marked = any(header.count(name) for name in _ANSWERS) or b"auto_reply" in header.first("precedence").lower()
    replied = text(header.first("auto-submitted")).lower().startswith("auto-replied")
    return marked or replied or bool(_SENT_AUTOMATICALLY.search(text(header.first("subject"))))


def _returned_to(root: Part) -> str:
    """Whom the returned message was for."""
    for part in root.leaves():
        if part.type in ("message/rfc822", "text/rfc822-headers"):
            found = addresses(parse_parts(part.octets()).header.first("to"))
            return found[0][1] if found else ""
    return ""
