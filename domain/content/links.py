"""The links of a body: URLs in its text, targets and visible words of its HTML anchors. Linear in hostile text too."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

MAX_LINKS: Final = 200
MAX_URL_CHARS: Final = 2_048
MAX_ANCHOR_CHARS: Final = 300

_URL = re.compile(rf"(?:https?://|www\.)[^\s<>\"'`{{}}|^]{{1,{MAX_URL_CHARS}}}", re.IGNORECASE)
_TRAILING = ".,;:!?)]*_"
_TAG_STOP = re.compile(r"[\"'>]")
_TARGET = re.compile(
    r"(?<![\w-])(?:href|action)\s{0,10}=\s{0,10}(?:\"([^\"]{0,4096})|'([^']{0,4096})|([^\s>\"']{1,4096}))",
    re.IGNORECASE,
)
_TAG_NAME = re.compile(r"<(/?)([a-z][a-z0-9]{0,20})", re.IGNORECASE)
_INLINE = frozenset({"b", "i", "u", "s", "em", "strong", "span", "font", "small", "big", "sup", "sub", "mark"})
_LEADING = frozenset({"a", "area", "base", "form"})
_UNSEEN = frozenset({"style", "script", "title"})
_LEADING_ZEROS = re.compile(r"(&#[xX]?)0+(?=[0-9a-fA-F])")
_LONG_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{8,};?")
_STRIPPED_FROM_URL = re.compile(r"[\x00-\x20\x7f]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,30}):", re.IGNORECASE)
_AUTHORITY_END = re.compile(r"[/?#\\]")
_MARKUP_STARTS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/!?")


@dataclass(frozen=True, slots=True)
class Link:
    """One link. `words` is what the reader sees of an anchor, empty for a bare URL; `path` is the field that it stands in."""

    url: str
    path: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: scheme and host in lower case, `port` as written, `userinfo` what stands before an @."""

    scheme: str
    host: str
    port: str
    userinfo: str


def text_links(text: str, path: str) -> tuple[Link, ...]:
    """The URLs that stand in plain text."""
    found = islice(_URL.finditer(text), MAX_LINKS)
    return tuple(Link(match.group().rstrip(_TRAILING), path) for match in found)


def read_html(markup: str, path: str) -> tuple[str, tuple[Link, ...]]:
    """The visible text of `markup`, and its links: each anchor with its words, and bare URLs in the text."""
    texts: list[str] = []
    links: list[Link] = []
    target, words, unseen = "", "", ""
    for is_tag, piece in (*_pieces(markup), (True, "</a>")):
        if not is_tag:
            if not unseen:
                texts.append(piece)
                words += piece[: MAX_ANCHOR_CHARS - len(words)]
            continue
        tag = _TAG_NAME.match(piece)
        is_end, name = (bool(tag.group(1)), tag.group(2).lower()) if tag else (False, "")
        if name in _UNSEEN:
            unseen = "" if is_end else name
        elif name in _LEADING:
            if target and len(links) < MAX_LINKS:
                links.append(Link(_unescape(target), path, _unescape(words).strip()))
            found = None if is_end else _TARGET.search(piece)
            target, words = next((g for g in found.groups() if g), "") if found else "", ""
        elif name not in _INLINE:
            texts.append(" ")
    text = _unescape("".join(texts))
    return text, (*links, *text_links(text, path))[:MAX_LINKS]


def place_of(url: str) -> Place:
    """Where `url` leads, read as leniently as browsers do; all empty for what names no scheme and no host."""
    url = _STRIPPED_FROM_URL.sub("", url[:MAX_URL_CHARS]).replace("\\", "/")
    match = _SCHEME.match(url)
    scheme = match.group(1).lower() if match and not url.lower().startswith("www.") else ""
    rest = url[len(scheme) + 1 :] if scheme else url
    if scheme and not rest.startswith("//") and scheme not in ("http", "https"):
        return Place(scheme, "", "", "")
    if not scheme and not rest.startswith("//") and not rest.lower().startswith("www."):
        return Place("", "", "", "")
    authority = _AUTHORITY_END.split(rest.lstrip("/"), maxsplit=1)[0]
    userinfo, _, location = authority.rpartition("@")
    if location.startswith("["):
        host, _, port = location.partition("]")
        return Place(scheme, f"{host}]".lower(), port.lstrip(":"), userinfo)
    host, _, port = location.partition(":")
    return Place(scheme, host.lower().rstrip("."), port, userinfo)


def _pieces(markup: str) -> Iterator[tuple[bool, str]]:
    """Tags and the text between them, in turn; comments are left out, and a tag that never ends takes the rest."""
    at = 0
    while at < len(markup):
        start = markup.find("<", at)
        if start < 0:
            yield False, markup[at:]
            return
        if start > at:
            yield False, markup[at:start]
        if markup[start + 1 : start + 2] not in _MARKUP_STARTS:
            yield False, "<"
            at = start + 1
            continue
        if markup.startswith("<!--", start):
            close = markup.find("-->", start + 4)
            at = close + 3 if close >= 0 else len(markup)
            continue
        at = _tag_end(markup, start + 1)
        yield True, markup[start:at]


def _tag_end(markup: str, at: int) -> int:
    """The index behind the `>` that ends a tag; a `>` between quotes does not."""
    while stop := _TAG_STOP.search(markup, at):
        at = stop.end()
        if stop.group() == ">":
            return at
        close = markup.find(stop.group(), at)
        if close < 0:
            return len(markup)
        at = close + 1
    return len(markup)


def _unescape(text: str) -> str:
    """`text` with its character references resolved; one too long to name a character is none (int() refuses its digits)."""
    return html.unescape(_LONG_REFERENCE.sub("\ufffd", _LEADING_ZEROS.sub(r"\1", text)))
