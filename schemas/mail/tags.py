"""Lists of `tag=value` parted by semicolons, as DKIM and DMARC write them (RFC 6376 section 3.2)."""

import re
from typing import Final

MAX_TAGS: Final = 50
MAX_OCTETS: Final = 16 * 1024

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SPACES = re.compile(r"[ \t\r\n]+")


class TagError(ValueError):
    """The text is no tag list."""


def parse_tags(text: bytes) -> dict[str, str]:
    """The tags in their order, values trimmed. Raises TagError for another form, a tag that is there twice, or too much."""
    if len(text) > MAX_OCTETS:
        raise TagError("too long")
    try:
        parts = text.decode("utf-8").split(";")
    except UnicodeDecodeError:
        raise TagError("not UTF-8") from None
    if len(parts) > MAX_TAGS:
        raise TagError("too many tags")
    if not parts[-1].strip():
        parts.pop()
    tags: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not _NAME.fullmatch(name) or name in tags:
            raise TagError("not a list of tags")
        tags[name] = value.strip()
    return tags


def without_spaces(value: str) -> str:
    """`value` without the white space that folds it."""
    return _SPACES.sub("", value)
