"""What a recipient says in one word: stop, start, help (CTIA's principles, 47 CFR 64.1200(a)(10), and usage in Europe)."""

import unicodedata
from typing import Final, Literal

Keyword = Literal["stop", "start", "help"]

_WORDS: Final[dict[str, Keyword]] = {
    **dict.fromkeys(
        (
            "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out",
            "afmeld", "stopp", "arret", "alto", "baja", "parar", "annulla",
        ),
        "stop",
    ),
    **dict.fromkeys(("start", "unstop", "yes"), "start"),
    **dict.fromkeys(("help", "info"), "help"),
}  # fmt: skip
MAX_KEYWORD_CHARS: Final = 40


def keyword_of(text: str) -> Keyword | None:
    """The keyword that the whole text is, however it is written; a text that says more is no keyword."""
    if len(text) > MAX_KEYWORD_CHARS:
        return None
    folded = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(" " if not c.isalnum() else c for c in folded if not unicodedata.combining(c))
    return _WORDS.get(" ".join(kept.split()))
