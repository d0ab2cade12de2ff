"""From what a server said to the reason behind it: words first, then its status and its code (RFC 3463, RFC 5321)."""

import re
from typing import Final, Literal

MAX_SAID_CHARS: Final = 4_000

Reason = Literal[
    "userunknown", "hostunknown", "hasmoved", "notaccept", "mailboxfull", "filtered", "suspend", "onhold", "expired",
    "networkerror", "toomanyconn", "speeding", "exceedlimit", "mesgtoobig", "blocked", "badreputation", "requireptr",
    "authfailure", "spamdetected", "virusdetected", "contenterror", "policyviolation", "notcompliantrfc", "rejected",
    "norelaying", "securityerror", "mailererror", "systemerror", "systemfull", "syntaxerror", "failedstarttls",
    "delivered", "feedback", "vacation", "undefined",
]  # fmt: skip

HARD: Final[frozenset[Reason]] = frozenset({"userunknown", "hostunknown", "hasmoved", "notaccept"})
"""The address will not work tomorrow either: suppress it. Everything else may."""

RECIPIENT_REASONS: Final[frozenset[Reason]] = frozenset({"userunknown", "filtered"})

# The first line with one of its words in the text decides. Order: what is most telling comes first.
_WORDS: Final[tuple[tuple[Reason, str], ...]] = (
    ("virusdetected", r"\bvirus|infected|malware|trojan|banned (?:file|name)|dangerous attachment"),
    (
        "requireptr",
        r"reverse dns|\brdns\b|\bptr\b|reverse lookup|reverse mapping|cannot find your (?:reverse )?hostname"
        r"|resolve your (?:hostname|address|domain)|unresolvable relay host|no matches to nameserver query"
        r"|fix reverse|ip name lookup failed|hostname is not resolvable",
    ),
    (
        "authfailure",
        r"\bdmarc\b|\bdkim\b|\bspf\b|sender policy framework|not authenticated|unauthenticated (?:email|mail)"
        r"|fails? authentication|authentication checks|openspf",
    ),
    (
        "mailboxfull",
        r"(?:mail ?box|mailbox|inbox|mail ?drop|account|user|recipient|quota|disk|folder)(?:'s)?[^.\n]{0,60}"
        r"\b(?:is|was)? ?(?:full|over ?quota|exceed)|over ?quota|quota exceeded|exceed\w* (?:\w+ )?quota|quota violation"
        r"|insufficient (?:disk|storage|system storage)|not enough (?:storage|disk) ?space|out of storage|too much mail data"
        r"|exceeded storage|storage (?:allocation|quota)|mailbox size limit|mailbox exceeds|number of messages in recipient"
        r"|over the (?:maximum|max)|user is over|is full|disk quota|no space left|full mailbox|maildir over|dd sorry",
    ),
    (
        "mesgtoobig",
        r"(?:message|mail|data|file|size|line)[^.\n]{0,40}(?:too (?:big|large|long)|exceeds?[^.\n]{0,40}(?:size|limit|maximum)"
        r"|limit exceeded)|size limit|too large|maximum (?:message|allowed) size|message length|larger than",
    ),
    (
        "exceedlimit",
        r"too many recipients|recipient limit|daily (?:sending|message) (?:quota|limit)|over daily limit|message too short",
    ),
    (
        "speeding",
        r"too (?:fast|frequent)|rate (?:limit|that)|throttl|please slow down|receiving mail at a rate|unusual rate"
        r"|sending (?:too )?quick|slow down",
    ),
    (
        "toomanyconn",
        r"too many (?:concurrent |simultaneous |open )?(?:smtp )?(?:connections|sessions)|connection (?:rate|limit)"
        r"|too many (?:messages|emails|mails)|exceed\w* (?:the )?(?:maximum )?(?:number of )?(?:concurrent )?connection"
        r"|number of (?:concurrent )?connections|concurrent connections",
    ),
    (
        "hasmoved",
        r"has (?:been )?(?:moved|replaced)|address (?:has )?changed|new address|moved to|no longer valid, (?:try|use)",
    ),
    (
        "badreputation",
        r"\breputation\b|low score|poor (?:ip|sender)|sender ?base|senderscore",
    ),
    (
        "spamdetected",
        r"\bspam\b|\bspammy\b|\bube\b|\buce\b|bulk (?:mail|email)|unsolicited|junk|spam-like|looks like spam"
        r"|content (?:rejected|blocked|filter)|considered as abus|blacklisted url|message (?:contains|content) (?:a )?(?:url|link)"
        r"|rejected as bulk|appears to be unsolicited|suspicious",
    ),
    (
        "blocked",
        r"block ?list|black ?list|\brbl\b|\bdnsbl\b|spamhaus|spamcop|client (?:host|address)[^.\n]{0,80}(?:reject|block)"
        r"|access denied|blocked (?:using|by|for|due)|(?:ip|host|address|network|server)[^.\n]{0,60}(?:is |was |been |are )?"
        r"(?:blocked|banned|listed|denied|refused|prohibited|rejected)|connection (?:refused|rejected|dropped|denied)"
        r"|not allowed to (?:send|connect|talk)|bad (?:helo|ehlo)|your (?:ip|host|server|network|provider)"
        r"|dynamic ip|dial-?up|no access from|go away|access (?:from|restricted)|temporarily deferred",
    ),
    (
        "norelaying",
        r"relay(?:ing)? (?:is )?(?:access )?(?:not|denied|prohibited|refused|disallowed)|not (?:a )?(?:gateway|relay)"
        r"|unable to relay|not permitted to relay|cannot relay|relay (?:is )?not|mail relay|we do not relay|authentication required"
        r"|not (?:in )?(?:my|the) list of allowed rcpthosts|open relay|not local, please (?:check|use)",
    ),
    (
        "suspend",
        r"(?:account|mailbox|user|recipient|address|domain)[^.\n]{0,60}(?:suspend|disabled|inactive|deactivat|not active|frozen"
        r"|locked|expired)|inactive (?:user|account|mailbox|recipient)|suspended|disabled (?:user|account|mailbox)"
        r"|account (?:has been )?(?:closed|terminated)|temporarily (?:locked|disabled)",
    ),
    (
        "hostunknown",
        r"host unknown|unknown host|host not found|no such (?:domain|host)|domain (?:does not|doesn't|not) (?:exist|found)"
        r"|name or service not known|unrout(?:e)?able|no mail ?hosts? for|host or domain name not found|domain not found"
        r"|non-?existent (?:domain|host)|unresolv|domain must resolve|could ?n[o']t find any host|mail domain mentioned"
        r"|nxdomain|unknown domain|bad destination (?:system|host)|invalid domain|no such (?:a )?domain|domain is not exist"
        r"|recipient'?s? domain|name server: host not|address lookup failed|domain does ?n[o']t|recipient address rejected: domain",
    ),
    (
        "userunknown",
        r"(?:user|recipient|account|mailbox|mail ?box|address|addressee|customer|person|alias|member)[^.\n]{0,80}"
        r"(?:unknown|not (?:found|exist|known|valid|listed|local|recogni[sz]ed|here)|does(?: no|n'?)t exist|doesn'?t have"
        r"|no longer|unavailable|invalid|is not (?:a )?(?:known|valid|found|local|list)|rejected|undeliverable|no such|not a valid"
        r"|could not be found|isn't valid)|(?:unknown|invalid|no such|non-?existent|bad|undeliverable|unrecogni[sz]ed|wrong)"
        r" (?:local )?(?:e-?mail |mail )?(?:user|recipient|account|mail ?box|address|addressee|destination|name|part|local)"
        r"|no (?:mailbox|mail box|account|user|such)|does not (?:exist|like recipient)|doesn'?t exist|not (?:a )?(?:valid|known|our"
        r" customer)|is not active|unknown (?:or illegal|address)|not our customer|user not|couldn'?t be found|wasn'?t found",
    ),
    (
        "filtered",
        r"recipient (?:has )?(?:refused|rejected)|filtered|user reject|refused by (?:the )?recipient|due to extended inactivity",
    ),
    (
        "notaccept",
        r"does ?n[o']t accept (?:any )?(?:e-?)?mail|null ?mx|no mail is accepted|not accept(?:ing)? (?:any )?mail|nullmx",
    ),
    (
        "notcompliantrfc",
        r"rfc ?\d{3,4}|not (?:rfc )?compli|missing (?:a )?(?:header|from|date|message-id)|bare (?:lf|cr|newline)|duplicate header"
        r"|multiple (?:from|headers)|header[^.\n]{0,30}(?:missing|invalid|malformed|not)",
    ),
    (
        "contenterror",
        r"(?:mime|content|charset|encoding|attachment|8bit|header)[^.\n]{0,50}(?:error|invalid|not (?:allowed|accept|support)|reject"
        r"|malformed)|improper|unsupported",
    ),
    (
        "securityerror",
        r"security|starttls|\btls\b|encrypt|\bssl\b|authentication (?:failed|turned)|must issue|insecure",
    ),
    ("policyviolation", r"polic(?:y|ies)|prohibit|not (?:permitted|authori[sz]ed)|administrat|violat|closed|denied"),
    (
        "rejected",
        r"sender (?:address )?(?:reject|denied|verify|domain|is|has|unknown)|mail from|from address|not accepted from|sender"
        r"|return path|envelope|your (?:e-?mail )?address",
    ),
    (
        "expired",
        r"timed? ?out|time ?out|expired|too long|delivery (?:time|attempt)|retry time|not (?:been )?(?:delivered|collected)"
        r"|could not be delivered for|exceeded|been in queue|giving up|still being retried|delayed|retries|was not delivered within",
    ),
    (
        "networkerror",
        r"loop|hop count|too many hops|connection (?:lost|reset|closed)|network|unreachable|no route|lost connection"
        r"|could not connect|couldn'?t connect|unable to connect|can'?t connect|connect(?:ion)? (?:failed|refused)|name server"
        r"|dns|mail server|mx record",
    ),
    (
        "mailererror",
        r"pipe|command (?:failed|died|time)|procmail|exit(?:ed)? (?:status|with)|mailer|local delivery|unknown mailer",
    ),
    (
        "systemerror",
        r"system|internal|local error|configuration|server|temporary|resources|i/o error|service|try again|unexpected",
    ),
    ("syntaxerror", r"syntax|malformed|not implemented|unrecogni[sz]ed command|bad sequence"),
)
_RULES: Final = tuple((reason, re.compile(words, re.IGNORECASE)) for reason, words in _WORDS)

_BY_STATUS: Final[dict[str, Reason]] = {
    "1.1": "userunknown", "1.2": "hostunknown", "1.3": "userunknown", "1.4": "filtered", "1.6": "hasmoved",
    "1.7": "rejected", "1.8": "rejected", "1.9": "rejected", "1.10": "notaccept", "2.0": "filtered", "2.1": "suspend",
    "2.2": "mailboxfull", "2.3": "mesgtoobig", "2.4": "filtered", "3.0": "systemerror", "3.1": "systemfull",
    "3.2": "notaccept", "3.3": "systemerror", "3.4": "mesgtoobig", "3.5": "systemerror", "4.1": "networkerror",
    "4.2": "networkerror", "4.3": "systemerror", "4.4": "networkerror", "4.5": "systemfull", "4.6": "networkerror",
    "4.7": "expired", "5.1": "mailererror", "5.2": "syntaxerror", "5.3": "exceedlimit", "5.4": "syntaxerror",
    "6.0": "contenterror", "6.1": "contenterror", "6.2": "contenterror", "6.3": "contenterror", "6.5": "contenterror",
    "6.6": "contenterror", "6.7": "contenterror", "6.8": "contenterror", "7.0": "policyviolation", "7.1": "rejected",
    "7.2": "filtered", "7.3": "securityerror", "7.4": "securityerror", "7.5": "securityerror", "7.6": "securityerror",
    "7.7": "securityerror", "7.8": "securityerror", "7.9": "securityerror", "7.13": "suspend", "7.20": "authfailure",
    "7.21": "authfailure", "7.22": "authfailure", "7.23": "authfailure", "7.24": "authfailure", "7.25": "requireptr",
    "7.26": "authfailure", "7.27": "notaccept", "7.28": "spamdetected", "7.29": "authfailure",
}  # fmt: skip
_TELLING: Final = frozenset(
    {"1.6", "1.10", "7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.27", "7.29", "2.2"}
)
"""Details whose meaning is clearer than any words beside them."""
_BY_CODE: Final[dict[str, Reason]] = {
    "421": "blocked", "450": "suspend", "451": "systemerror", "452": "mailboxfull", "530": "securityerror",
    "535": "securityerror", "550": "filtered", "551": "norelaying", "552": "mailboxfull", "553": "userunknown",
    "554": "rejected", "571": "blocked",
}  # fmt: skip


def reason_of(said: str, status: str, code: str, command: str = "") -> Reason:
    """The reason behind `said`; `command` is the one it answers, such as `RCPT`, empty for unknown.

    A user that is unknown only after the content was sent is `filtered`: the server knew the address at RCPT.
    """
    detail = status.partition(".")[2]
    if detail in _TELLING:
        return _BY_STATUS[detail]
    reason = by_words(said)
    if reason == "userunknown" and command == "DATA" and not status.endswith(".1.1"):
        return "filtered"
    return reason or _BY_STATUS.get(detail) or _BY_CODE.get(code) or "undefined"


def by_words(said: str) -> Reason | None:
    """What the words of the text say, None for nothing."""
    text = said[:MAX_SAID_CHARS]
    for reason, words in _RULES:
        if words.search(text):
            return reason
    return None
