"""How much a body looks like spam or phishing: named rules, each with its points, over the first 64 Ki characters."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from domain.content.finding import POINTS, Assessment, Finding, Rule
from domain.content.fold import fold, words
from domain.content.links import Link, read_html, text_links
from domain.content.url_rules import link_rules, short_links
from domain.delivery import Channel
from domain.message import Body

MAX_SCANNED_CHARS: Final = 64 * 1024
MAX_FINDINGS: Final = 30
MAX_PHRASES: Final = 1_000

GTUBE: Final = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
"""The generic test for unsolicited bulk e-mail: every filter takes it for spam, so a tenant can try this layer."""

_PHRASES: Final[dict[Rule, tuple[str, ...]]] = {
    "money_phrase": (
        "you have won", "you ve won", "claim your prize", "cash prize", "lottery winner", "free money", "double your",
        "earn extra cash", "guaranteed income", "risk free", "no credit check", "crypto giveaway", "wire transfer fee",
        "unclaimed inheritance", "million dollars", "100 free", "work from home and earn",
    ),
    "urgency_phrase": (
        "act now", "urgent action required", "immediate action required", "last chance", "within 24 hours or",
        "final notice", "before it is too late", "limited time only", "respond immediately", "expires today",
    ),
    "credential_lure": (
        "verify your account", "confirm your password", "confirm your identity", "update your payment details",
        "your account has been suspended", "your account will be closed", "unusual sign in activity",
        "confirm your bank details", "enter your password", "verify your card",
    ),
}  # fmt: skip
MAX_REMEMBERED_CHARS: Final = 2_000
"""Of text, subject and HTML together."""
_SHOUTING_LETTERS: Final = 20
_SHOUTING_SHARE: Final = 0.7
_SMS_LIKE: frozenset[Channel] = frozenset({"sms", "whatsapp"})


def assess(body: Body, channels: frozenset[Channel], blocked_phrases: tuple[str, ...]) -> Assessment:
    """What the rules find in `body` as it would go out over `channels`. Total, and linear in the length of the body.

    Short bodies are remembered: what one tenant sends to thousands is read once.
    """
    if len(body.text) + len(body.subject) + len(body.html) <= MAX_REMEMBERED_CHARS:
        return _remembered(body, channels, blocked_phrases)
    return _assess(body, channels, blocked_phrases)


@lru_cache(maxsize=2_000)
def _remembered(body: Body, channels: frozenset[Channel], blocked_phrases: tuple[str, ...]) -> Assessment:
    return _assess(body, channels, blocked_phrases)


def _assess(body: Body, channels: frozenset[Channel], blocked_phrases: tuple[str, ...]) -> Assessment:
    text, subject = body.text[:MAX_SCANNED_CHARS], body.subject[:MAX_SCANNED_CHARS]
    visible, html_links = read_html(body.html[:MAX_SCANNED_CHARS], "body.html") if body.html else ("", ())
    fields = tuple((p, t) for p, t in (("body.text", text), ("body.subject", subject), ("body.html", visible)) if t)
    links = (*text_links(text, "body.text"), *html_links)
    found = dict.fromkeys(_findings(fields, links, channels, blocked_phrases))
    rules = {finding.rule for finding in found}
    first = sorted(found, key=lambda finding: finding.rule != "blocked_phrase")
    return Assessment(sum((POINTS[rule] for rule in rules), 0.0), tuple(islice(first, MAX_FINDINGS)))


def _findings(
    fields: tuple[tuple[str, str], ...],
    links: tuple[Link, ...],
    channels: frozenset[Channel],
    blocked_phrases: tuple[str, ...],
) -> Iterator[Finding]:
    for path, text in fields:
        yield from _field_findings(path, text, blocked_phrases)
        if path == "body.text" and channels & _SMS_LIKE:
            for url in short_links(text):
                yield Finding("short_link", path, f"the link goes through a public shortener: {url}")
    for link in links:
        for rule, detail in link_rules(link):
            yield Finding(rule, link.path, detail)


def _field_findings(path: str, text: str, blocked_phrases: tuple[str, ...]) -> Iterator[Finding]:
    folded = fold(text)
    spaced = words(folded)
    for phrase in islice(blocked_phrases, MAX_PHRASES):
        sought = fold(phrase)
        wanted = words(sought)
        hit = wanted in spaced if wanted.strip() else bool(sought.strip()) and sought in folded
        if hit:
            yield Finding("blocked_phrase", path, f"holds the prohibited phrase: {phrase}")
    for rule, phrases in _PHRASES.items():
        for phrase in phrases:
            if f" {phrase} " in spaced:
                yield Finding(rule, path, f"holds the phrase: {phrase}")
    if GTUBE in text:
        yield Finding("spam_test_string", path, "holds the GTUBE test string")
    if _is_shouting(text):
        yield Finding("shouting", path, "is written in capitals")
    if "!!!" in text:
        yield Finding("many_exclamations", path, "holds three exclamation marks in a row")


def _is_shouting(text: str) -> bool:
    """Whether most letters of a text that has some are capitals; scripts without case never shout."""
    upper = sum(map(str.isupper, text))
    return upper >= _SHOUTING_LETTERS and upper >= _SHOUTING_SHARE * (upper + sum(map(str.islower, text)))
