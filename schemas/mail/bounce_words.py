"""What servers write when they refuse, by the reason behind it: the first rule with words in the text decides."""

import re
from typing import Final, Literal

Reason = Literal[
    "userunknown", "hostunknown", "hasmoved", "notaccept", "mailboxfull", "filtered", "suspend", "onhold", "expired",
    "networkerror", "toomanyconn", "speeding", "exceedlimit", "mesgtoobig", "blocked", "badreputation", "requireptr",
    "authfailure", "spamdetected", "virusdetected", "contenterror", "policyviolation", "notcompliantrfc", "rejected",
    "norelaying", "securityerror", "mailererror", "systemerror", "systemfull", "syntaxerror", "failedstarttls",
    "delivered", "feedback", "vacation", "undefined",
]  # fmt: skip

# Every pattern is a list of phrases without nested repetition, so that a search is linear in the (bounded) text.
_WORDS: Final[tuple[tuple[Reason, str], ...]] = (
    ("mailererror", r"pipe to \||mailer error"),
    ("virusdetected", r"\bvirus|infected|malware|trojan|dangerous attachment"),
    ("filtered", r"recipient preferences|due to extended inactivity new mail|refused by (?:the )?recipient|user reject"),
    ("policyviolation", r"for policy reasons|presents a potential|potential security|banned (?:file|name|content)"
     r"|executable attachment"),
    (
        "notcompliantrfc",
        r"rfc ?\d{3,4}[- ](?:compli|viol)|not rfc|duplicate header|multiple\b[^\n]{0,40}(?:headers|in from)"
        r"|bare (?:lf|cr|newline)"
        r"|missing (?:a )?(?:valid )?(?:from|date|message-id|subject)[ -]?header|does not conform"
        r"|header [^\n]{0,20}missing",
    ),
    (
        "requireptr",
        r"reverse dns|\brdns\b|\bptr\b|reverse (?:lookup|mapping|name|hostname)|find your (?:reverse )?hostname"
        r"|resolve your (?:host ?name|address|domain)|unresolvable relay host|no matches to nameserver query|fcrdns"
        r"|ip name lookup failed|host ?name is not resolvable|mismatches client ip|no ptr|without (?:a )?reverse",
    ),
    ("toomanyconn", r"too many (?:concurrent |simultaneous |open )?(?:smtp )?(?:connections|sessions|recipients)"
     r"|aup#in-13"
     r"|number of (?:concurrent )?connections|concurrent connections|frequency limit|connection (?:rate|limit)"
     r"|too many (?:messages|e-?mails|mails) (?:from|in)"),
    ("speeding", r"too (?:fast|quickly|frequent)|rate limit|throttl|slow down|receiving mail at a rate"
     r"|unusual rate|rate that"),
    ("badreputation", r"\breputation\b|unexpected volume or user complaints|low score|sender ?score|tss0\d|senderbase"),
    (
        "blocked",
        r"aup#c|client (?:host|address)[^\n]{0,120}(?:reject|block|denied)|block(?:ed)? (?:using|by|for|due)"
        r"|block ?list|rbl\b|banned sending|(?:ip|address) blacklisted"
        r"|dnsbl|spamhaus|spamcop|(?:your|this|the|source|sending|connecting|remote) (?:ip|host|server|network"
        r"|provider|mail server)"
        r"[^\n]{0,60}(?:block|ban|listed|denied|refused|prohibit|reject|not allowed)|ip [^\n]{0,40}(?:block|bann"
        r"|listed|denied)"
        r"|connection (?:refused|rejected|dropped|denied) (?:by|due|from|-)|bad (?:helo|ehlo)|dynamic (?:ip"
        r"|address)|dial-?up"
        r"|no access from|temporarily deferred|not accepting connections|service refuse|bloqu|invalid ip"
        r"|refused to talk|unwanted messages|weren't sent"
        r"|access (?:from|to)[^\n]{0,40}(?:denied|forbidden)|you are not allowed to connect|daily relay quota"
        r"|rejected by (?:our|the) (?:firewall|blacklist)|no smtp service here|cannot connect from",
    ),
    (
        "spamdetected",
        r"\bspam|\bube\b|\buce\b|bulk (?:mail|e-?mail)|unsolicited|\bjunk\b|considered as abus|ofr_?50\d"
        r"|mail rejete|blacklisted url"
        r"|content (?:rejected|blocked|denied)|rejected by content|contains? (?:a )?(?:url|link)|suspicious"
        r"|content filter"
        r"|cloudmark|score of|high probability|message rejected due to content",
    ),
    (
        "authfailure",
        r"\bdmarc\b|\bdkim\b|\bspf\b|sender policy framework|unauthenticated (?:e-?mail|mail)|fails? authentication"
        r"|authentication checks|email authentication|not authori[sz]ed to send on behalf",
    ),
    (
        "mailboxfull",
        r"over ?quota|quota (?:exceed|violat|full)|exceed\w* [^\n]{0,30}(?:quota|storage)|(?:mail ?box|inbox"
        r"|mail ?drop|account|quota"
        r"|disk|folder|user)[^\n]{0,30} full|not enough (?:storage|disk)|insufficient (?:disk|storage|system storage)"
        r"|out of (?:storage|disk)|too much mail data|mail ?box (?:size|exceed|limit|is over)"
        r"|storage (?:allocation|quota|limit)"
        r"|number of messages in recipient|no space left|full mail ?box|maildir over|exceeded (?:its"
        r"|the) [^\n]{0,20}(?:size|limit)"
        r"|mail ?box has exceeded|is over (?:his|her|its|the|their) |disk space",
    ),
    (
        "mesgtoobig",
        r"message[^\n]{0,20} too (?:big|large|long)|(?:message|mail|data|file|header|line) size|size limit"
        r"|too large|too big"
        r"|message length|larger than|line (?:limit|length|too long)|message[^\n]{0,40}exceed[^\n]{0,30}(?:size"
        r"|limit|maximum)",
    ),
    ("exceedlimit", r"recipient limit|daily (?:sending|message)|message too short|sending limit|limit exceeded"),
    (
        "hasmoved",
        r"has (?:been )?(?:moved|replaced)|address (?:has )?changed|new address|moved to|forwarding order|no longer uses",
    ),
    (
        "suspend",
        r"suspend|(?:account|mail ?box|user|recipient|address|domain)[^\n]{0,40}(?:disabled|inactive|deactivat"
        r"|not active|frozen"
        r"|locked|expired)|(?:inactive|disabled|frozen) (?:user|account|mail ?box|recipient)"
        r"|account[^\n]{0,20}(?:closed|terminated)",
    ),
    ("notaccept", r"does(?: not|n'?t) accept (?:any )?(?:e-?)?mail|null ?mx|accepts? no mail"
     r"|doesn'?t receive e?-?mail|no mx record"),
    ("networkerror", r"hop count|too many hops|routing loop|mail loop|loops? back"
     r"|name service error[^\n]{0,80}malformed|host not found, try again"
     r"|looping|mx list for [^\n]{0,60}points back"),
    (
        "hostunknown",
        r"host unknown|unknown host|host not found|no such (?:domain|host)|domain (?:does not|doesn'?t"
        r"|not) (?:exist|found|known)"
        r"|domain name not found|name or service not known|unrout(?:e)?able|no mail ?hosts? for"
        r"|host or domain name|nxdomain"
        r"|non-?existent (?:domain|host)|could ?n[o']t find any host|unknown domain|bad destination (?:system"
        r"|host|domain)"
        r"|invalid domain|domain is not (?:reachable|valid)|mail domain mentioned|account or domain may not|illegal host"
        r"|name server: host not|address lookup failed|not a valid (?:domain|host)|\.[a-z]{2,20} does not exist",
    ),
    ("norelaying", r"relay[^\n]{0,30}(?:denied|prohibit|refused|not|disallow)|not (?:a )?(?:gateway|relay)"
     r"|no relay|(?:unable|not permitted) to relay"
     r"|cannot relay|allowed rcpthosts|do(?:es)? not relay|mail relay|not local, please|we do not relay|open relay"),
    (
        "userunknown",
        r"(?:user|recipient|account|mail ?box|addressee?|customer|person|alias|member|userid|destinataire)(?:s"
        r"|\(s\))?\b[^\n]{0,50}"
        r"(?:unknown|not (?:found|exist|known|valid|listed|local|recogni[sz]ed|here|available)|n[o']t? exist"
        r"|no longer|unavailable"
        r"|invalid|is not (?:a )?(?:known|valid|found|local|listed|our)|undeliverable|no such|isn'?t valid"
        r"|does(?:n'?t| not) have|could not be found|introuvable|inconnu|not our)"
        r"|(?:unknown|invalid|no such|non-?existent|bad|undeliverable|unrecogni[sz]ed|wrong|illegal)[ _](?:local "
        r"|final delivery )?"
        r"(?:e-?mail |mail )?(?:user|recipient|account|mail ?box|address|alias|destination|local|name|person)"
        r"|no (?:mail ?box|account|user|such|valid recipient)|recipnotfound|does(?: not|n'?t) (?:exist|like recipient)"
        r"|(?:recipient )?address rejected|not our customer|check if address is correct|unable to deliver message to"
        r"|wasn'?t found|rejected address|not a (?:known|valid) (?:user|recipient|address|mailbox)",
    ),
    ("contenterror", r"(?:mime|charset|encoding|content|8-?bit)[^\n]{0,40}(?:error|invalid|not (?:allowed|accept"
     r"|support)|malformed|conver)"
     r"|improper use of|unsupported (?:media|content|charset)|attachment[^\n]{0,30}(?:not|reject|block)"),
    ("securityerror", r"security|starttls|\btls\b|encrypt|authentication (?:failed|turned|required|needed)"
     r"|must issue|insecure"),
    (
        "rejected",
        r"group you tried to contact|sender[^\n]{0,40}(?:reject|denied|verif|invalid|not|unknown|refus)"
        r"|from address|not accepted from|domain of sender|an address that has been|access denied|return path|blacklisted"
        r"|mail from[^\n]{0,40}(?:reject|denied|refus|not)|unable to verify sender",
    ),
    (
        "expired",
        r"timed? ?out|expired|retry time|delivery time|still undelivered|will keep trying"
        r"|not (?:yet )?been (?:delivered|collected)"
        r"|has been delayed|be retried|warning message only|retry timeout|giving up|retries|could not be delivered for"
        r"|unable to deliver[^\n]{0,40}(?:within|after)|been in the queue|delivery attempts",
    ),
    (
        "networkerror",
        r"connection (?:lost|reset|closed|refused|was)|network|unreachable|no route|lost connection|(?:not|n'?t"
        r"|unable|able) to"
        r" (?:connect|establish|contact)|connect(?:ion)? (?:failed|to)|couldn'?t connect|dns (?:error|lookup|failure)",
    ),
    ("mailererror", r"\bpipe\b|command (?:failed|died|time|output)|procmail|exit(?:ed)? (?:status|with)|x-unix"
     r"|mailer error|unknown mailer|maildrop"),
    ("policyviolation", r"polic(?:y|ies)|prohibited|violat|administratively|not (?:permitted|authori[sz]ed)"),
    (
        "systemerror",
        r"system (?:error|config|failure|problem|resources)|internal|local (?:error|configuration)"
        r"|server (?:error|config|busy)"
        r"|temporar(?:y|ily)|resources|i/o error|service (?:not|un|currently)|try again|unexpected"
        r"|transaction failed|ldap|protocol error",
    ),
    ("syntaxerror", r"syntax|malformed|not implemented|unrecogni[sz]ed command|sequence of commands|bad sequence"),
)  # fmt: skip
_RULES: Final = tuple((reason, re.compile(words)) for reason, words in _WORDS)


def by_words(said: str) -> Reason | None:
    """What the words of `said`, in lower case, are about; None for nothing."""
    for reason, words in _RULES:
        if words.search(said):
            return reason
    return None
