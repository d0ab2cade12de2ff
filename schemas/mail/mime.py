"""What a message says: its subject, its text, its HTML, and what is attached to it."""

from dataclasses import dataclass, field
from typing import Final

from schemas.mail.parts import Part, parse_parts
from schemas.mail.words import text

MAX_FILENAME_CHARS: Final = 255


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is known of a part that is neither the text nor the HTML.

    `filename` is one path component or empty. `inline` means that the HTML shows it: it has a Content-ID and is no
    attachment by its disposition.
    """

    filename: str
    type: str
    size_octets: int
    inline: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as a person reads it; `text` and `html` are empty for none. `root` has everything else."""

    root: Part
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...]


@dataclass(slots=True)
class _Found:
    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)


def parse_mail(raw: bytes) -> Mail:
    """The message in `raw`, CRLF or LF lines. Raises MailError for what passes the limits of `parts` and `fields`."""
    root = parse_parts(raw)
    found = _Found()
    _collect(root, found, within="")
    return Mail(
        root,
        text(root.header.first("subject")),
        "\n".join(found.texts),
        "\n".join(found.htmls),
        tuple(found.attachments),
    )


def _collect(part: Part, found: _Found, within: str) -> None:
    """Texts that are no attachments make the text, HTML the HTML; everything else is an attachment."""
    if part.is_multipart:
        for child in part.children:
            _collect(child, found, part.type)
        return
    attached = part.disposition.value == "attachment"
    if part.type == "text/plain" and not attached and not part.filename:
        found.texts.append(part.text())
    elif part.type == "text/html" and not attached and not part.filename:
        found.htmls.append(part.text())
    elif part.body.strip() or part.filename:
        found.attachments.append(_attachment(part, within, attached=attached))


def _attachment(part: Part, within: str, *, attached: bool) -> Attachment:
    inline = not attached and within == "multipart/related" and bool(part.header.first("content-id"))
    return Attachment(safe_filename(part.filename), part.type, len(part.octets()), inline)


def safe_filename(name: str) -> str:
    """`name` as one printable path component; a stranger's name leads nowhere. Empty when nothing is left of it."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in last if c.isprintable())
    return kept.strip(" .")[:MAX_FILENAME_CHARS]
