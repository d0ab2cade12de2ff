"""What known texts of refusals mean for the mail that follows: wait, go slower, use fewer connections, shorter ones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["suspend", "suspend_tenant", "slow", "narrow", "shorten"]

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Action:
    """What is done for a while: `suspend` sends nothing from this source to the group, `suspend_tenant` nothing of a tenant.

    `slow` to `value` mails a minute, `narrow` to `value` connections, `shorten` to `value` mails a connection.
    """

    kind: Kind
    value: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """When `words` were heard `hits` times within an hour, the actions hold for `for_ms`. An empty provider means any."""

    provider: str
    words: re.Pattern[str]
    actions: tuple[Action, ...]
    for_ms: int
    hits: int = 1


def _rule(provider: str, words: str, actions: tuple[Action, ...], minutes: int, hits: int = 1) -> Rule:
    return Rule(provider, re.compile(words, re.IGNORECASE), actions, minutes * MINUTE_MS, hits)


_STOP = (Action("suspend"),)
_STOP_TENANT = (Action("suspend_tenant"),)
_ONE_LINE = (Action("narrow", 1),)
_CRAWL = (Action("slow", 1), Action("narrow", 1))
_WALK = (Action("slow", 10),)

# Patterns have no nested repetition: a search is linear in the text, which is bounded (`replies.MAX_DETAIL_CHARS`).
RULES: tuple[Rule, ...] = (
    _rule("google", r"unusual (?:rate|amount) of\s+unsolicited|rate limited due to ip", _WALK, 30, 2),
    _rule("google", r"low reputation of the sending domain|unauthenticated email", _STOP_TENANT, 60, 5),
    _rule("google", r"likely unsolicited|suspicious due to the nature|low reputation of the sending ip", _STOP, 60, 10),
    _rule("yahoo", r"\[TS(?:S)?04\]|\[IPTS04\]", _STOP, 120, 2),
    _rule("yahoo", r"\[TS(?:S)?05\]|\[IPTS05\]", _STOP, 240, 2),
    _rule("yahoo", r"\[TS02\]", (Action("slow", 1),), 30, 3),
    _rule("yahoo", r"\[TS03\]", _WALK, 30, 3),
    _rule("yahoo", r"\[BL\d\d\]", _STOP, 120, 5),
    _rule("yahoo", r"max\w* messages? per connection", (Action("shorten", 5),), 60),
    _rule("yahoo-japan", r"VS\d\d-IP\d|\[(?:TSS|IPTS)04\]", _STOP, 60, 2),
    _rule("outlook", r"is on our block ?list|\(S31[45]0\)", _STOP, 120, 5),
    _rule("outlook", r"has been temporarily rate limited|\(S775\)", _STOP, 30, 3),
    _rule("outlook", r"server busy", _CRAWL, 15, 3),
    _rule("outlook", r"maximum number of connections|max concurrent connections|IB007", _ONE_LINE, 60, 2),
    _rule("outlook", r"maximum number of messages per connection", (Action("shorten", 2),), 60, 2),
    _rule("office365", r"5\.7\.50[2-8]|5\.7\.606|is on our block ?list", _STOP_TENANT, 60, 5),
    _rule("office365", r"4\.7\.500|server busy", _CRAWL, 15, 3),
    _rule("apple", r"\[HCM1\]|\[BS02\]|try again later", _STOP, 15, 5),
    _rule("comcast", r"RL000010", _STOP_TENANT, 5),
    _rule("comcast", r"RL0000\d\d", (Action("slow", 160),), 120, 2),
    _rule("gmx", r"policy (?:restriction|violation)s?", _CRAWL, 60, 5),
    _rule("orange", r"trop de connexions|OFR\w{0,3}_109", _ONE_LINE, 60, 2),
    _rule("orange", r"service refuse|OFR\w{0,3}_(?:103|104|105|108)", _STOP, 60, 2),
    _rule("mimecast", r"resource temporarily unavailable", _STOP, 30, 3),
    _rule("netvigator", r"too many messages for this session", (Action("shorten", 5),), 30),
    _rule("qq", r"frequency limit", _STOP, 60, 5),
    _rule("netease", r"\b(?:DT:SPM|RP:ORQ|RP:TRC|IP:REQ)", _STOP, 60, 5),
    _rule("", r"temporarily deferred due to|permanently deferred|rate limited due to ip reputation", _CRAWL, 90),
    _rule("", r"domain[^.]{0,60}(?:spamhaus dbl|surbl|uribl)|\bdbl\.spamhaus", _STOP_TENANT, 240, 3),
    _rule("", r"spamhaus|spamcop|barracudacentral|sorbs", _STOP, 60, 5),
    _rule("", r"too many (?:concurrent |simultaneous )?(?:smtp )?connections", _ONE_LINE, 30, 2),
    _rule("", r"too many (?:messages|mails|e-?mails) (?:per|in|for) (?:this |one )?(?:connection|session)",
          (Action("shorten", 5),), 60),
)  # fmt: skip


def matching(provider: str, said: str) -> Iterator[tuple[int, Rule]]:
    """The rules that `said`, a peer's own words, meets, with their place; a provider's own rules keep out the general."""
    found = [(at, rule) for at, rule in enumerate(RULES) if rule.provider == provider and rule.words.search(said)]
    if not found and provider:
        found = [(at, rule) for at, rule in enumerate(RULES) if not rule.provider and rule.words.search(said)]
    yield from found
