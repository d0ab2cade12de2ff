"""From what a server said to the reason behind it: words first, then its status and its code (RFC 3463, RFC 5321)."""

import re
from typing import Final, Literal

from schemas.mail.bounce_codes import by_code, by_detail
from schemas.mail.bounce_types import Reason
from schemas.mail.bounce_words import by_words

MAX_SAID_CHARS: Final = 4_000

Command = Literal["", "CONN", "EHLO", "MAIL", "RCPT", "DATA"]

HARD: Final[frozenset[Reason]] = frozenset({"userunknown", "hostunknown", "hasmoved", "notaccept"})
"""The address will not work tomorrow either, unless the status says 4: suppress it. Everything else may."""

_BY_STATUS: Final[dict[str, Reason]] = {
    "1.1": "userunknown", "1.2": "hostunknown", "1.3": "userunknown", "1.4": "filtered", "1.6": "hasmoved",
    "1.7": "rejected", "1.8": "rejected", "1.9": "rejected", "1.10": "notaccept", "2.0": "filtered", "2.1": "suspend",
    "2.2": "mailboxfull", "2.3": "exceedlimit", "2.4": "filtered", "3.0": "systemerror", "3.1": "systemfull",
    "3.2": "notaccept", "3.3": "systemerror", "3.4": "mesgtoobig", "3.5": "systemerror", "4.1": "networkerror",
    "4.2": "networkerror", "4.3": "systemerror", "4.4": "hostunknown", "4.5": "systemfull", "4.6": "networkerror",
    "4.7": "expired", "5.1": "mailererror", "5.2": "syntaxerror", "5.3": "toomanyconn", "5.4": "syntaxerror",
    "6.0": "contenterror", "6.1": "contenterror", "6.2": "contenterror", "6.3": "contenterror", "6.5": "contenterror",
    "6.6": "contenterror", "6.7": "contenterror", "6.8": "contenterror", "7.0": "policyviolation", "7.1": "rejected",
    "7.2": "filtered", "7.3": "securityerror", "7.4": "securityerror", "7.5": "securityerror", "7.6": "securityerror",
    "7.7": "securityerror", "7.8": "securityerror", "7.9": "policyviolation", "7.13": "suspend", "7.20": "authfailure",
    "7.21": "authfailure", "7.22": "authfailure", "7.23": "authfailure", "7.24": "authfailure", "7.25": "requireptr",
    "7.26": "authfailure", "7.27": "notaccept", "7.28": "spamdetected", "7.29": "authfailure",
    "7.30": "authfailure", "7.31": "authfailure", "7.32": "authfailure",
}  # fmt: skip
_TELLING: Final = frozenset({
    "1.6", "1.7", "1.8", "1.10", "2.2", "2.3", "3.1", "3.4", "4.6", "4.7", "6.0", "7.9", "7.20", "7.21", "7.22", "7.23", "7.24",
    "7.25", "7.26", "7.29", "7.30", "7.31", "7.32",
})  # fmt: skip
"""Details whose meaning is clearer than any words beside them."""
_BY_CODE: Final[dict[str, Reason]] = {
    "421": "blocked", "450": "onhold", "451": "systemerror", "452": "mailboxfull", "530": "securityerror",
    "535": "securityerror", "550": "filtered", "551": "norelaying", "552": "mailboxfull",
    "542": "userunknown", "553": "userunknown",
    "554": "rejected", "571": "blocked",
}  # fmt: skip
_BY_COMMAND: Final[dict[Command, Reason]] = {"CONN": "blocked", "EHLO": "blocked", "MAIL": "rejected"}

# Forms of single providers that mean one thing whatever stands beside them.
_FORMS: Final[tuple[tuple[Reason, re.Pattern[str]], ...]] = (
    ("rejected", re.compile(r"groups\.google\.com/support|support\.google\.com/a/group")),
    (
        "userunknown",
        re.compile(
            r"(?<!all )recipient address rejected: access denied|5\.4\.1 [^\n]{0,300}: access denied \["
            r"|mailbox unavailable \(-?\d|dd this user doesn't have"
        ),
    ),
)
_NAMED = re.compile(r"\b55[0-9] <[^<>\s]{1,320}>: (?:user|unknown|no such)|does not like recipient")
"""The server names the recipient itself, or whoever reports says that it was refused: that was at RCPT."""
_NOISE = re.compile(
    r"https?://[^\s]*|<?[^\s<>@]{1,64}@[^\s<>@:]{1,253}>?|recipient address rejected:(?=\s*[a-z])"
    r"|to reduce the amount of spam[^,]{0,60},"
    r"|could not be delivered to (?:one or more|all) of its\s+recipients|the following address\(es\) failed:"
    r"|rejected by the (?:server for the )?recipient domain|this is a permanent error"
)
_LINES = re.compile(r"\n?\s*[245]\d\d-(?:[245]\.\d{1,3}\.\d{1,3})?\s*")
_SPACES = re.compile(r"\s+")
_REPLY_AT = re.compile(r"\b[45]\d\d[ :](?=\S)|\b[45]\d\d$")


def reason_of(said: str, status: str, code: str, command: Command = "") -> Reason:
    """The reason behind `said`; `status`, `code` and the `command` that it answers are empty for unknown.

    The server's own words count before those of whoever reports them. An unknown user is taken for one when the server said
    so to RCPT or with its status, or when nobody quotes a server: later in the dialogue it is a filter that speaks.
    """
    text = said[:MAX_SAID_CHARS].lower()
    detail = status.partition(".")[2]
    squeezed = _SPACES.sub(" ", text)
    for reason, form in _FORMS:
        if form.search(squeezed) and command in ("", "RCPT"):
            return reason
    known = by_code(text) or by_detail(detail)
    if known:
        return known
    words = meaning(said)
    if detail in _TELLING:
        return _BY_STATUS[detail]
    if detail == "1.1" and words not in ("filtered", "mailboxfull", "hostunknown", "suspend", "hasmoved"):
        return "userunknown"
    if command == "MAIL" and words in ("userunknown", "hostunknown"):
        return "rejected"
    if words == "userunknown" and (code or status) and not detail.startswith("1."):
        return words if command == "RCPT" or (not command and _NAMED.search(squeezed)) else "filtered"
    if words == "hostunknown" and status.startswith("4"):
        return "networkerror"
    silent: Reason = "onhold" if status else "undefined"
    return words or _BY_COMMAND.get(command) or _BY_STATUS.get(detail) or _BY_CODE.get(code) or silent


def is_hard(reason: Reason, status: str) -> bool:
    """Whether to write to the address no more."""
    return reason in HARD and not status.startswith("4")


def meaning(said: str, *, quotes: bool = True) -> Reason | None:
    """The reason that the words of `said` tell; with `quotes`, those that stand behind a reply code count first."""
    clean = _SPACES.sub(" ", _LINES.sub(" ", _NOISE.sub(" ", said[:MAX_SAID_CHARS].lower())))
    at = _REPLY_AT.search(clean) if quotes else None
    return (by_words(clean[at.start() :]) if at else None) or by_words(clean)
