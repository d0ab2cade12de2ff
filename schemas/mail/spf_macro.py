"""SPF macros: their syntax, and their expansion (RFC 7208 section 7)."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import quote

MAX_DOMAIN_CHARS: Final = 253
MAX_EXPANDED_CHARS: Final = 4_096

_MACRO = r"%\{[SLODIPHCRTVslodiphcrtv]\d*[Rr]?[.+,/_=-]*\}"
_LITERAL = r"[\x21-\x24\x26-\x7e]"
_TEXT = re.compile(rf"(?:{_MACRO}|%%|%_|%-|{_LITERAL})*")
_EXPLANATION = re.compile(rf"(?:{_MACRO}|%%|%_|%-|{_LITERAL}| )*")
_IN_EXPLANATION_ONLY = re.compile(r"%\{[CRTcrt]")
_ENDS_IN_MACRO = re.compile(rf".*(?:{_MACRO}|%%|%_|%-)")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_EXPAND = re.compile(r"%(?:\{([A-Za-z])(\d*)([Rr]?)([.+,/_=-]*)\}|([%_-]))")
_PLAIN: Final = {"%": "%", "_": " ", "-": "%20"}
_UNRESERVED: Final = "-._~"


@dataclass(frozen=True, slots=True)
class Values:
    """What the letters stand for; `validated` is the name behind the address that was proved, or `unknown`."""

    sender: str
    domain: str
    helo: str
    ip: IPv4Address | IPv6Address
    validated: str = "unknown"
    receiver: str = "unknown"
    now_s: int = 0


def is_macro_text(text: str) -> bool:
    """Whether `text` is a macro-string, of a record's modifier."""
    return _TEXT.fullmatch(text) is not None


def is_domain_spec(text: str) -> bool:
    """Whether `text` is a domain-spec: a macro-string that ends in a macro or a top label, without c, r and t."""
    if not _TEXT.fullmatch(text) or _IN_EXPLANATION_ONLY.search(text):
        return False
    return _ends_in_label(text) or _ENDS_IN_MACRO.fullmatch(text) is not None


def _ends_in_label(text: str) -> bool:
    """Whether a dot and a top label end the text: letters, digits and hyphens, not digits alone."""
    _, dot, label = text.removesuffix(".").rpartition(".")
    return bool(dot) and _LABEL.fullmatch(label) is not None and not label.isdigit()


def is_explanation(text: str) -> bool:
    """Whether `text` is an explain-string."""
    return _EXPLANATION.fullmatch(text) is not None


def needs_validated(text: str) -> bool:
    """Whether the text has the macro p, which asks for reverse look-ups."""
    return "%{p" in text.lower()


def expand_domain(text: str, values: Values) -> str:
    """The name that a domain-spec stands for; labels fall off its left end until it is short enough (section 7.3)."""
    name = expand(text, values).rstrip(".")
    while len(name) > MAX_DOMAIN_CHARS and "." in name:
        name = name.partition(".")[2]
    return name


def expand(text: str, values: Values) -> str:
    """`text` with every macro replaced, no longer than MAX_EXPANDED_CHARS."""
    return _EXPAND.sub(lambda found: _PLAIN[found[5]] if found[5] else _letter(found, values), text)[
        :MAX_EXPANDED_CHARS
    ]


def _letter(found: re.Match[str], values: Values) -> str:
    letter, digits, reverse, delimiters = found[1], found[2], found[3], found[4] or "."
    parts = re.split("[" + re.escape(delimiters) + "]", _value(letter.lower(), values))
    if reverse:
        parts.reverse()
    if digits:
        parts = parts[-min(int(digits), len(parts)) :] if int(digits) else parts
    value = ".".join(parts)
    return quote(value, safe=_UNRESERVED) if letter.isupper() else value


def _value(letter: str, values: Values) -> str:
    local, _, sender_domain = values.sender.rpartition("@")
    match letter:
        case "s":
            return values.sender
        case "l":
            return local
        case "o":
            return sender_domain
        case "d":
            return values.domain
        case "i":
            return _dotted(values.ip)
        case "p":
            return values.validated
        case "v":
            return "in-addr" if values.ip.version == 4 else "ip6"
        case "h":
            return values.helo
        case "c":
            return str(values.ip)
        case "r":
            return values.receiver
        case _:
            return str(values.now_s)


def _dotted(ip: IPv4Address | IPv6Address) -> str:
    """An IPv6 address as its nibbles (section 7.3), in capitals as the published suite has them."""
    return str(ip) if ip.version == 4 else ".".join(ip.exploded.replace(":", "")).upper()
