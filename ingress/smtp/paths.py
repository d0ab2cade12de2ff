"""The arguments of MAIL and RCPT: a path and its parameters (RFC 5321 sections 4.1.1.2, 4.1.1.3 and 4.1.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import idna

MAX_LOCAL_CHARS: Final = 64
MAX_DOMAIN_CHARS: Final = 255
MAX_PATH_CHARS: Final = 254
MAX_PARAMETERS: Final = 10

_PATH = r'[ \t]*<((?:"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*"|[^<>"\x00-\x20])*)>(.*)'
_FROM = re.compile("FROM:" + _PATH, re.IGNORECASE)
_TO = re.compile("TO:" + _PATH, re.IGNORECASE)
_SOURCE_ROUTE = re.compile(r"@[^:@]+(?:,@[^:@,]+)*:")
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL = re.compile(rf'{_ATEXT}(?:\.{_ATEXT})*|"(?:[^"\\]|\\.)*"')
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_LITERAL = re.compile(r"\[[A-Za-z0-9:.]{1,60}\]")
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e\u0080-\U0010ffff]+))?")


class PathError(ValueError):
    """The argument cannot be taken; `reply` says why."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Path:
    """A mailbox, its domain in lower-case A-labels; `address` is empty for the null sender. Parameter names in capitals."""

    address: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def reverse_path(argument: str) -> Path:
    """The argument of MAIL. Raises PathError: 501 for what is none, 553 for a bad mailbox, 555 for unknown parameters."""
    text, parameters = _taken_apart(_FROM, argument)
    for name, value in parameters.items():
        known = {"SIZE": value.isdigit(), "BODY": value.upper() in ("7BIT", "8BITMIME"), "SMTPUTF8": not value}
        if not known.get(name, name == "AUTH"):
            raise PathError(f"501 5.5.4 Bad value of {name}" if name in known else f"555 5.5.4 {name} is not known")
    return Path(_mailbox(text, utf8="SMTPUTF8" in parameters) if text else "", parameters)


def forward_path(argument: str, *, utf8: bool, hostname: str) -> Path:
    """The argument of RCPT; `utf8` when the transaction has SMTPUTF8. `<postmaster>` is the postmaster of `hostname`."""
    text, parameters = _taken_apart(_TO, argument)
    if parameters:
        raise PathError(f"555 5.5.4 {next(iter(parameters))} is not known")
    if text.lower() == "postmaster":
        text = f"{text}@{hostname}"
    if not text:
        raise PathError("501 5.1.3 A recipient must be named")
    return Path(_mailbox(text, utf8=utf8))


def _taken_apart(form: re.Pattern[str], argument: str) -> tuple[str, dict[str, str]]:
    found = form.fullmatch(argument)
    if found is None:
        raise PathError("501 5.5.4 Syntax: MAIL FROM:<address> or RCPT TO:<address>")
    words = found[2].split()
    if found[2] and not found[2].startswith(" "):
        raise PathError("501 5.5.4 A space parts the address from its parameters")
    parameters: dict[str, str] = {}
    for word in words:
        one = _PARAMETER.fullmatch(word)
        if one is None or one[1].upper() in parameters or len(parameters) >= MAX_PARAMETERS:
            raise PathError("501 5.5.4 Bad parameter")
        parameters[one[1].upper()] = one[2] or ""
    return _SOURCE_ROUTE.sub("", found[1], count=1) if found[1].startswith("@") else found[1], parameters


def _mailbox(text: str, *, utf8: bool) -> str:
    if not utf8 and not text.isascii():
        raise PathError("553 5.6.7 An address outside ASCII needs SMTPUTF8")
    local, at, domain = text.rpartition("@")
    if not at or len(text) > MAX_PATH_CHARS or len(local) > MAX_LOCAL_CHARS or not _LOCAL.fullmatch(local):
        raise PathError("553 5.1.3 The address is no mailbox")
    if domain.startswith("["):
        if not _LITERAL.fullmatch(domain):
            raise PathError("553 5.1.3 The address is no mailbox")
        return text
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise PathError("553 5.1.2 The domain is none") from None
    if len(domain) > MAX_DOMAIN_CHARS or not _DOMAIN.fullmatch(domain):
        raise PathError("553 5.1.2 The domain is none")
    return f"{local}@{domain.lower()}"
