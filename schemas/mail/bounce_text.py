"""Delivery reports for people: which addresses they name, and what they say of each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_TEXT_CHARS: Final = 20_000
MAX_LINES: Final = 400
MAX_RECIPIENTS: Final = 100

ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~][A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{1,252}"
)
_ALONE = re.compile(
    r"[\s>*:-]{0,8}(?:[245]\d\d[ -](?:[245]\.\d{1,3}\.\d{1,3} )?)?"
    r"(?:(?:to|recipient address|rcpt to|recipient|address|undeliverable to|your message to"
    r"|unable to deliver message to)\b[\s:=;]{0,8}(?:rfc822;)?\s{0,4}"
    r"|(?![\w()' -]{0,50}\b(?:from|sender|reply|return|errors?|message|envelope|b?cc|subject|contact|postmaster|reporting|support"
    r"|received|help|administrator|admin|questions|x)\b)[a-z][\w()' -]{5,50}:\s{0,4}(?:rfc822;)?\s{0,4})?"
    r"[<\"'(\[]{0,2}([^\s<>\"'()\[\],;:]{1,64}@[^\s<>\"'()\[\],;:]{1,253})[>\"')\]]{0,2}(.*)",
    re.IGNORECASE,
)
_ECHO = re.compile(r"[\s>*]{0,8}(?:to|cc|from):", re.IGNORECASE)
_BESIDE = re.compile(r"[\s>*]{0,8}(?:subject|sent|date):", re.IGNORECASE)
_TO = re.compile(r"^\s{0,4}to:([^\n]{1,400})", re.IGNORECASE | re.MULTILINE)
_ORIGINAL = re.compile(
    r"[\s>*-]{0,12}(?:original message (?:follows|headers|below|text)|original message[\s-]{0,40}$"
    r"|this is a copy of (?:the|your) message"
    r"|below this line is a copy|message headers? follow|return-path:|received: from|content of (?:your )?message"
    r"|header follows"
    r"|your original message|the following is a copy|unsent message|start of returned message|returned message"
    r"|message header"
    r"|included is a copy|original mail|copy of the message|headers of the original|original headers|forwarded message"
    r"|undelivered message|mail header|dkim-signature:|x-(?!actual-recipient|postfix-)[a-z-]{1,40}:\s|delivered-to:|received:)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """An address and the text about it."""

    recipient: str
    text: str


def own_text(text: str) -> tuple[str, str]:
    """`text` up to the message that it returns, and that message."""
    lines = text[:MAX_TEXT_CHARS].split("\n")[:MAX_LINES]
    for number, line in enumerate(lines):
        if _ORIGINAL.match(line):
            return "\n".join(lines[:number]), "\n".join(lines[number:])
    return "\n".join(lines), ""


def said_of(text: str) -> list[Said]:
    """Every address that stands at the begin of a line, and what comes behind it up to the next one."""
    found: list[tuple[str, list[str]]] = []
    for line in _without_echo(text.split("\n")):
        match = _ALONE.fullmatch(line)
        address = ADDRESS.match(match[1]) if match else None
        if match and address and len(found) < MAX_RECIPIENTS:
            found.append((address[0].rstrip("."), [line.replace(match[1], "", 1)]))
        elif found:
            found[-1][1].append(line)
    return list(_merged(found))


def _without_echo(lines: list[str]) -> Iterator[str]:
    """The lines but those that repeat the returned message's header: an addressee next to its subject or date."""
    for number, line in enumerate(lines):
        beside = lines[max(0, number - 2) : number] + lines[number + 1 : number + 4]
        if not (_ECHO.match(line) and any(_BESIDE.match(other) for other in beside)):
            yield line


def addressee(returned: str) -> str:
    """Whom a returned message was for, empty for unknown."""
    found = _TO.search(returned)
    return any_address(found[1]) if found else ""


def any_address(text: str) -> str:
    """The first address anywhere in the text, empty for none."""
    found = ADDRESS.search(text)
    return found[0].rstrip(".") if found else ""


def _merged(found: list[tuple[str, list[str]]]) -> Iterator[Said]:
    """One for each address, its texts together."""
    by_address: dict[str, list[str]] = {}
    for address, lines in found:
        by_address.setdefault(address.lower(), []).extend(lines)
    names = {address.lower(): address for address, _ in reversed(found)}
    for key, lines in by_address.items():
        yield Said(names[key], "\n".join(lines).strip())
