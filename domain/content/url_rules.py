"""What is suspicious about one link: where it leads, what it hides, and what it pretends to be."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from domain.content.finding import Rule
from domain.content.fold import fold
from domain.content.links import Link, place_of

SHORTENERS: Final = frozenset(
    {
        "bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "j.mp", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly",
        "s.id", "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "v.gd",
    }
)  # fmt: skip
"""Public shorteners: carriers filter them in SMS, because nobody sees where they lead."""

_ACTIVE_SCHEMES: Final = frozenset({"javascript", "data", "vbscript", "file"})
_MAX_LABELS: Final = 6
_SECOND_LEVELS: Final = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})
_FILE_SUFFIXES: Final = frozenset(
    {"csv", "doc", "docx", "gif", "htm", "html", "jpg", "js", "pdf", "png", "txt", "xlsx"}
)
_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]{1,16}|[0-9]{1,16})(?:\.(?:0x[0-9a-f]{1,16}|[0-9]{1,16})){0,3}")
_HOST_IN_WORDS = re.compile(
    r"(?<![\w@.-])(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,5}([a-z]{2,24}))(?![\w@-])", re.IGNORECASE
)
_SHORT_LINK = re.compile(
    rf"(?<![\w.@/-])(?:{'|'.join(re.escape(host) for host in sorted(SHORTENERS))})/[\w-]{{1,100}}", re.IGNORECASE
)


def link_rules(link: Link) -> Iterator[tuple[Rule, str]]:
    """Each rule that `link` breaks, with what a reader of the report should know. Hosts are compared without resolving."""
    place = place_of(link.url)
    if place.scheme in _ACTIVE_SCHEMES:
        yield "active_url", f"the URL runs or embeds content: {place.scheme}:"
        return
    if not place.host:
        return
    if _is_address(place.host):
        yield "ip_host", f"the URL names an address instead of a host: {place.host}"
    elif _is_lookalike(place.host):
        yield "lookalike_host", f"the host passes for another one: {place.host}"
    if place.userinfo:
        yield "userinfo_in_url", f"the URL hides its host behind an @: {place.host}"
    if place.port not in ("", "80", "443"):
        yield "odd_port", f"the URL uses a port of its own: {place.host}:{place.port[:10]}"
    if place.host.count(".") >= _MAX_LABELS - 1 and not _is_address(place.host):
        yield "deep_host", f"the host has many labels: {place.host}"
    shown = _HOST_IN_WORDS.search(link.words)
    if shown and shown.group(2).lower() not in _FILE_SUFFIXES and _site(shown.group(1)) != _site(place.host):
        yield "link_text_mismatch", f"the link shows {shown.group(1).lower()} and leads to {place.host}"


def short_links(text: str) -> tuple[str, ...]:
    """The links in `text` that go through a public shortener, with or without a scheme before them."""
    bare = text.replace("://", " ").replace("www.", " ") if "://" in text or "www." in text else text
    return tuple(match.group() for match in _SHORT_LINK.finditer(bare))


def _is_address(host: str) -> bool:
    """Whether `host` is an IP address, in brackets or in one of the decimal, octal and hexadecimal forms of inet_aton(3)."""
    return host.startswith("[") or _NUMERIC_HOST.fullmatch(host) is not None


def _is_lookalike(host: str) -> bool:
    """Whether a label mixes scripts with Latin, or is foreign letters that all pass for Latin ones (Unicode TR 39)."""
    return any(_label_deceives(_unicode_label(label)) for label in host.split("."))


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--") or len(label) > 63:
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _label_deceives(label: str) -> bool:
    foreign = [c for c in label if not c.isascii() and c.isalpha() and not _is_latin(c)]
    if not foreign:
        return False
    has_latin = any(c.isalpha() and _is_latin(c) for c in label)
    return has_latin or fold(label).isascii()


def _is_latin(character: str) -> bool:
    return character.isascii() or unicodedata.name(character, "").startswith("LATIN ")


def _site(host: str) -> list[str]:
    """The labels that name a site: the last two, or three below a country's second level (`example.co.uk`)."""
    labels = host.lower().split(".")
    below_country = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return labels[-3:] if below_country else labels[-2:]
