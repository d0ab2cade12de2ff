"""The text of an HTML document, for readers that show no HTML; linear in the document, whatever it holds."""

import re
from html import unescape

MAX_HTML_CHARS = 256 * 1024  # what is beyond has no text
MAX_TAG_CHARS = 4_000

_HIDDEN = frozenset({"script", "style", "head", "title", "template"})
_PARAGRAPHS = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "table", "ul"})
_BLOCKS = _PARAGRAPHS | {
    "address", "article", "br", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "header", "hr", "main", "nav", "pre",
    "section", "tbody", "td", "tfoot", "th", "thead", "tr",
}  # fmt: skip
_TAG = re.compile(rf"<(/?)([A-Za-z][A-Za-z0-9]{{0,20}})([^<>]{{0,{MAX_TAG_CHARS}}})>|<[!?][^<>]{{0,{MAX_TAG_CHARS}}}>")
_VALUE = r"""\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"""
_HREF, _ALT = (re.compile(rf"\b{name}{_VALUE}", re.IGNORECASE) for name in ("href", "alt"))
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
_EMPTY_LINES = re.compile(r"\n{3,}")


def text_of(html: str) -> str:
    """The readable text of `html`: blocks on lines of their own, links with where they lead, nothing hidden."""
    html = _without_comments(html[:MAX_HTML_CHARS])
    pieces: list[str] = []
    links: list[tuple[str, int]] = []
    hidden = ""
    at = 0
    for tag in _TAG.finditer(html):
        if not hidden:
            pieces.append(_shown(html[at : tag.start()]))
        at = tag.end()
        name = (tag[2] or "").lower()
        if hidden:
            hidden = "" if name == "body" or (tag[1] and name == hidden) else hidden
        elif tag[1]:
            _close(name, pieces, links)
        elif name in _HIDDEN:
            hidden = name
        else:
            _open(name, tag[3] or "", pieces, links)
    if not hidden:
        pieces.append(_shown(html[at:]))
    lines = [line.strip() for line in "".join(pieces).split("\n")]
    text = _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
    return text + "\n" if text else ""


def _open(name: str, attributes: str, pieces: list[str], links: list[tuple[str, int]]) -> None:
    if name == "a":
        links[:] = [(_attribute(_HREF, attributes), len(pieces))]  # links do not nest
    elif name == "img":
        pieces.append(_attribute(_ALT, attributes))
    elif name == "li":
        pieces.append("\n- ")
    elif name in _BLOCKS:
        pieces.append("\n\n" if name in _PARAGRAPHS else "\n")


def _close(name: str, pieces: list[str], links: list[tuple[str, int]]) -> None:
    if name == "a" and links:
        href, at = links.pop()
        if href.startswith(("http://", "https://")) and "".join(pieces[at:]).strip() != href:
            pieces.append(f" ({href})")
    elif name in _PARAGRAPHS:
        pieces.append("\n\n")


def _attribute(which: re.Pattern[str], attributes: str) -> str:
    found = which.search(attributes)
    return _shown(found[1] or found[2] or found[3] or "") if found else ""


def _shown(raw: str) -> str:
    return _SPACES.sub(" ", unescape(raw))


def _without_comments(html: str) -> str:
    pieces: list[str] = []
    at = 0
    while (begin := html.find("<!--", at)) >= 0:
        pieces.append(html[at:begin])
        end = html.find("-->", begin + 4)
        if end < 0:
            return "".join(pieces)
        at = end + 3
    return "".join([*pieces, html[at:]]) if pieces else html
