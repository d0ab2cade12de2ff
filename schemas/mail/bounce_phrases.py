"""Phrases of refusals that mean one thing, by the reason behind them; the first rule with one in the text decides.

The notation is that of `bounce_words`: words in their normal form, each phrase open at its end unless `.` closes it, and `*`
for anything within a few words.
"""

from typing import Final

from schemas.mail.bounce_types import Rules

PLAIN: Final[Rules] = (
    ("mailererror", (
        "pipe to", "mailer error", "procmail", "maildrop", "command died with", "command failed *", "command output",
        "exec usr local", "unknown mailer error", "x unix", "local delivery agent", "child exited",
    )),
    ("virusdetected", (
        "virus.", "viruses.", "infected", "malware", "trojan", "dangerous attachment", "worm.", "malicious", "ransomware",
        "phishing",
    )),
    ("filtered", (
        "recipient preferences", "due to extended inactivity new mail", "refused by recipient", "refused by the recipient",
        "user reject", "user refused", "rejected due to user rules", "rejected by user", "rejected by recipient",
        "only accepting mail from specific", "blocked by the recipient", "blocked by recipient", "blocked you",
        "refuse to receive", "refuses to receive", "message filtered", "mail filtered", "address filtered",
        "protected by", "not found recipient account", "has set permissions such that", "recipient does not want",
        "recipient has chosen", "bounced address", "restricted sms", "recipient is not accepting *message", "notauthorized",
        "recipient is only accepting", "user does not accept", "header error *state 18",
    )),
    ("policyviolation", (
        "for policy reasons", "presents a potential", "potential security", "banned file", "banned name", "banned content",
        "executable attachment", "illegal attachment", "organization policy", "organizational settings", "local policy",
        "message given low priority", "due to security policies", "closed mailing list", "denied by policy",
        "not accepting mail with attachments", "content examination policy", "anti spoofing policy", "attachment policy",
        "policy violation", "company policy", "subscribers only", "password protected", "encrypted attachment",
        "mass mailer", "delivery not authorized message refused", "attachment type", "file type", "file extension",
        "protocol violation", "prohibited attachment", "not subscribed to this group",
    )),
    ("notcompliantrfc", (
        "rfc * compli", "rfc * viol", "not rfc", "duplicate header", "multiple *headers", "multiple *in from",
        "multiple from", "bare lf", "bare cr", "bare newline", "bare line", "missing from", "missing date", "missing subject",
        "missing message id", "missing a valid", "missing valid", "missing header", "missing required header",
        "missing or invalid header", "does not conform", "not conform", "header is missing", "no message id", "no from header",
        "headers violat", "header format error", "two or more * header", "more than one from", "invalid message id",
    )),
    ("requireptr", (
        "reverse dns", "rdns.", "ptr.", "reverse lookup", "reverse mapping", "reverse name", "reverse hostname",
        "find your hostname", "find your reverse", "resolve your hostname", "resolve your address", "resolve your domain",
        "resolve your host", "unresolvable relay host", "no matches to nameserver query", "fcrdns", "ip name lookup failed",
        "ip name forged", "ip name possibly forged", "hostname is not resolvable", "mismatches client ip", "without reverse",
        "forward confirmed", "reverse ip", "reverse resolution", "reverse record", "forward dns entry",
        "does not resolve to your ip", "inverse dns", "no dns *for your ip",
    )),
    ("speeding", (
        "too fast", "too quickly", "too frequent", "rate limit", "ratelimit", "slow down", "receiving mail at a rate",
        "unusual rate", "rate that", "try again slower", "sending rate", "rate of mail", "throttled", "being throttled",
        "rate exceed", "message rate",
    )),
    ("toomanyconn", (
        "too many *connection", "too many *session", "too many *recipients", "number of *connections", "max *connections",
        "concurrent connection", "simultaneous connection", "frequency limit", "connection frequency", "connection rate",
        "connection limit", "too many messages", "too many emails", "too many mails", "too many errors", "per domain connection",
        "max emails per hour", "maximum emails per hour", "messages per hour", "throttling failure", "trop de connexions",
        "numerous attempts to deliver", "exceeded the maximum number of", "connections limit", "quota *per hour", "daily quota",
        "too many invalid", "too many unknown", "too many bad",
    )),
    ("badreputation", (
        "reputation", "unexpected volume or user complaints", "low score", "senderscore", "sender score", "senderbase",
        "user complaints", "complaint rate", "sender is untrusted", "bad karma",
    )),
    ("authfailure", (
        "dmarc.", "dkim.", "domainkeys", "spf.", "sender policy framework", "spf1", "unauthenticated email",
        "unauthenticated mail", "authentication checks", "email authentication", "sender is unauthenticated",
        "required authentication level", "not authorized to send on behalf", "not permitted to send *domain",
        "not designated *sender", "message fails authentication", "sender id check", "not allowed to send mail for",
        "not authorized to use the domain", "authentication results",
    )),
)  # fmt: skip
