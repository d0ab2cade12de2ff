"""What came back: which recipients a report is about, for what reason, and whether to write to them again."""

import re
from dataclasses import dataclass
from typing import Final

from schemas.mail.addresses import addresses
from schemas.mail.bounce_reason import HARD, Reason, by_words, reason_of
from schemas.mail.bounce_text import any_address, own_text, said_of
from schemas.mail.dsn import STATUS_TYPES, Told, read_groups, told_of
from schemas.mail.parts import Part, parse_parts
from schemas.mail.words import text

MAX_BOUNCES: Final = 100
MAX_SAID_CHARS: Final = 4_000

_REPLY = re.compile(r"\b([245]\d\d)(?=[ \-:<(#]|$)", re.MULTILINE)
_STATUS = re.compile(r"(?<![\d.])#?([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_DATA = re.compile(
    r"(?:reply to|answer to|after|>>>|response to|in reply)[^\n]{0,30}(?:end of )?data\b|did not like our DATA",
    re.IGNORECASE,
)
_AUTOMATIC = re.compile(
    r"\b(?:out of (?:the )?office|vacation|on leave|auto(?:matic)?[ -]?(?:reply|response))\b", re.IGNORECASE
)
_GOOD_ACTIONS: Final = frozenset({"delivered", "relayed", "expanded"})
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
    prose = _prose(root)
    told = [one for part in root.walk() if part.type in STATUS_TYPES for one in told_of(part)]
    if not told and "final-recipient:" in prose.lower():
        told = list(
            read_groups(prose[max(0, prose.lower().rfind("\n", 0, prose.lower().index("final-recipient:"))) :].encode())
        )
    if told:
        return tuple(_of_told(one, prose, alone=len(told) == 1) for one in told[:MAX_BOUNCES])
    if _is_automatic(root):
        sender = addresses(root.header.first("from"))
        return (Bounce(sender[0][1] if sender else "", "vacation", False, "", "", "", ""),)
    return tuple(_of_prose(root, prose)[:MAX_BOUNCES])


def _prose(root: Part) -> str:
    """What the report says to people, without the message that it returns."""
    texts: list[str] = []
    for part in root.leaves():
        if part.type == "text/plain":
            texts.append(own_text(part.text()))
        elif part.type == "text/html" and not texts:
            texts.append(own_text(_TAG.sub(" ", part.text()[:50_000])))
    return "\n".join(texts)


def _of_told(told: Told, prose: str, *, alone: bool) -> Bounce:
    about = next((one.text for one in said_of(prose) if one.recipient.lower() == told.recipient.lower()), "")
    said = told.diagnostic
    if not by_words(said):
        said = f"{said}\n{about or (prose if alone else '')}".strip()
    status = _best_status(told.status, said)
    code = _code(told.diagnostic) or _code(about)
    if told.action in _GOOD_ACTIONS:
        return Bounce(told.recipient, "delivered", False, status, code, told.action, said[:MAX_SAID_CHARS])
    command = "DATA" if _DATA.search(f"{told.diagnostic}\n{about or prose}") else ""
    reason = reason_of(said, status, code, command)
    return Bounce(told.recipient, reason, reason in HARD, status, code, told.action, said[:MAX_SAID_CHARS])


def _of_prose(root: Part, prose: str) -> list[Bounce]:
    found = [(one.recipient, one.text) for one in said_of(prose)]
    failed = [address for _, address in addresses(root.header.first("x-failed-recipients"))]
    if failed:
        known = {address.lower(): said for address, said in found}
        found = [(address, known.get(address.lower(), prose)) for address in failed]
    if not found:
        found = [(any_address(prose) or _returned_to(root), prose)]
    bounces: list[Bounce] = []
    for recipient, about in found:
        said = about if by_words(about) or _code(about) else prose
        status, code = _best_status("", said), _code(said)
        command = "DATA" if _DATA.search(said) else ""
        reason = reason_of(said, status, code, command)
        bounces.append(Bounce(recipient, reason, reason in HARD, status, code, "", said[:MAX_SAID_CHARS]))
    return [one for one in bounces if one.recipient]


def _best_status(status: str, said: str) -> str:
    """The status that says most: one in the server's words counts more than a general one (x.0.0)."""
    if status and not status.endswith(".0.0"):
        return status
    found = _STATUS.findall(said)
    return next((one for one in found if not one.endswith(".0.0")), found[0] if found else status)


def _code(said: str) -> str:
    found = _REPLY.search(said)
    return found[1] if found else ""


def _is_automatic(root: Part) -> bool:
    submitted = text(root.header.first("auto-submitted")).lower()
    return submitted.startswith("auto-replied") or bool(_AUTOMATIC.search(text(root.header.first("subject"))))


def _returned_to(root: Part) -> str:
    """Whom the returned message was for."""
    for part in root.leaves():
        if part.type in ("message/rfc822", "text/rfc822-headers"):
            found = addresses(parse_parts(part.octets()).header.first("to"))
            return found[0][1] if found else ""
    return ""
