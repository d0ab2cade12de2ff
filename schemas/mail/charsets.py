"""Octets in the charset that a mail names, as text: known charsets only, and always an answer."""

import codecs
import re
from functools import lru_cache
from typing import Final

MAX_CHARSET_CHARS: Final = 40
KNOWN_CHARSETS: Final = 256

# Names as codecs.lookup gives them. Others of Python's codecs are no charsets, and some take quadratic time.
_CHARSET = re.compile(
    r"ascii|utf-(?:7|8(?:-sig)?|(?:16|32)(?:-[bl]e)?)|iso8859-\d+|cp\d+|koi8[-_][rtu]|mac[-_]\w+|gb2312|gbk|gb18030|hz"
    r"|big5(?:hkscs)?|euc_(?:jp|kr|jis_2004|jisx0213)|shift_jis(?:_2004|x0213)?|iso2022_\w+|johab|tis-620|ptcp154|kz1048"
)
_ALIASES: Final[dict[str, str]] = {
    "windows-874": "cp874",
    "x-sjis": "shift_jis",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "iso-2022-jp": "iso2022_jp_ext",
}


def decode(octets: bytes, charset: str) -> str:
    """`octets` as text. What the charset has no character for becomes U+FFFD; an unknown one is taken for UTF-8 or Latin-1."""
    codec = _codec(charset[:MAX_CHARSET_CHARS].strip().lower())
    if not codec:
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            return octets.decode("cp1252", "replace")
    try:
        text = octets.decode(codec, "replace")
        # UTF-7 can spell half a surrogate pair, which no other encoding of text can carry on
        return text.encode("utf-8", "replace").decode("utf-8") if codec == "utf-7" else text
    except UnicodeError:  # a stateful codec may refuse what no replacement stands for
        return octets.decode("latin-1")


@lru_cache(KNOWN_CHARSETS)
def _codec(charset: str) -> str:
    """Python's name of the charset, empty for none that we know."""
    try:
        name = codecs.lookup(_ALIASES.get(charset, charset)).name
    except (LookupError, ValueError):
        return ""
    return name if _CHARSET.fullmatch(name) else ""
