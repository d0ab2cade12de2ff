"""A text as a reader sees it: look-alike letters, accents, invisible characters and case folded away. Linear in its length."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

# Cyrillic, Greek and other letters that pass for Latin ones (a part of Unicode TR 39's confusables).
LOOKALIKES: Final[dict[str, str]] = dict(
    zip("асԁеһіјӏмоорԛѕтѵѡхуүαειικνορτυχԝɡ", "acdehijlmoopqstvwxyyaeiiknoptuxwg", strict=True)
)
_CACHED_CHARACTERS: Final = 8_192
_NOT_WORD = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """`text` in lower case, with each foreign character replaced by what it passes for.

    Each distinct character is decomposed alone: normalising the whole would be quadratic in a run of combining marks.
    """
    text = text.casefold()
    if text.isascii():
        return text
    return text.translate({ord(c): _plain(c) for c in set(text) if not c.isascii()})


def words(folded: str) -> str:
    """The words of a folded text, one space before and after each, so that ` phrase ` finds whole words only."""
    return _NOT_WORD.sub(" ", f" {folded} ")


@lru_cache(maxsize=_CACHED_CHARACTERS)
def _plain(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character)
    kept = (c for c in parts if not unicodedata.combining(c) and unicodedata.category(c) not in ("Cf", "Mn", "Me"))
    return "".join(LOOKALIKES.get(c, c) for c in kept).casefold()
