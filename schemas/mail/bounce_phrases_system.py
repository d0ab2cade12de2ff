"""Phrases about the systems between sender and mailbox, and vague ones; `bounce_words` has their notation."""

from typing import Final

from schemas.mail.bounce_types import Rules

SYSTEM: Final[Rules] = (
    ("systemerror", (
        "ldap", "homedir", "qmail forward", "best preference mx", "local host * lowest",
        "remote host address is the local host", "points to local host", "delivery to file forbidden",
        "delivery to pipe forbidden", "local delivery failed", "lmtp error after", "configuration error",
        "queue file write", "several matches", "no mdb", "can not create user output file", "loop broken",
    )),
    ("contenterror", (
        "mime * error", "mime * invalid", "mime * not allowed", "mime * not accept", "mime * not support",
        "mime * malformed", "mime complexity", "mime type", "charset * not", "charset * invalid", "encoding * error",
        "encoding * invalid", "encoding * not support", "8 bit", "8bit", "conversion", "improper use of",
        "improperly formatted", "unsupported media", "unsupported content", "unsupported charset", "media error",
        "media not supported", "attachment * not", "attachment * reject", "attachment * block", "attachments are not",
        "content * invalid", "content * malformed", "content * not allowed", "compressed file", "too many received",
        "received headers", "invalid character", "binary content", "message content * error",
    )),
    ("failedstarttls", (
        "starttls is required", "tls required but", "tls is required but not", "starttls * not offered",
    )),
    ("securityerror", (
        "security", "starttls", "tls.", "ssl.", "encrypt", "authentication failed", "authentication failure",
        "authentication turned", "authentication required", "authentication needed", "authentication is required",
        "authentication credentials", "must issue", "must authenticate", "must be authenticated", "insecure",
        "not authenticate", "requires authentication", "smtp auth", "please authenticate", "unauthenticated senders",
        "verification failure", "authrequired", "log in", "login required", "account not subscribed",
    )),
    ("rejected", (
        "group you tried to contact", "sender * reject", "sender * denied", "sender * verif", "sender * invalid",
        "sender * not", "sender * unknown", "sender * refus", "sender verif", "sender rejected", "sender denied",
        "sender blocked", "sender * block", "sender not", "sender address", "sender domain", "sender email",
        "sender is in", "invalid sender", "unknown sender", "bad sender", "unverified sender", "unroutable sender",
        "from address", "not accepted from", "accept mail from", "mail from", "domain of sender",
        "an address that has been", "access denied", "return path", "blacklist", "unable to verify", "emetteur",
        "expediteur", "absender", "envelope sender", "null sender", "empty envelope", "empty sender", "batv",
        "backscatter", "bounce * not accepted", "third party dsn", "bouncedeny", "rejected as * not a member",
        "not a member", "non member", "members only", "not allowed to post", "not allowed to send",
        "purported responsible", "pre approved", "administrative prohibition", "fully qualified email address",
        "recipient addresses rejected", "email address is not verified", "not owned by user", "denied by secumail",
        "returned mail not", "has been denied", "is not allowed to * send", "not permitted to send",
        "not authorized to send", "you are not authorized", "rule imposed", "not accept * from you", "your access to",
        "your email address has been", "recursive cname", "unsigned dsn", "from domain", "originator",
        "greylist * reject",
    )),
    ("expired", (
        "timed out", "timeout", "expired", "retry time", "delivery time", "still undelivered", "will keep trying",
        "not yet been delivered", "not been delivered", "not been collected", "not delivered within",
        "was not delivered", "has been delayed", "is delayed", "delayed for", "be retried", "warning message only",
        "giving up", "retries", "could not be delivered for", "not deliver for", "unable to deliver * within",
        "unable to deliver * after", "unable to deliver this message after", "delivery attempts",
        "delivery failed * attempts", "delivery not attempted", "failing for a long time",
        "failed to deliver to domain", "did not respond", "not responding", "no response", "does not respond",
        "did not accept our requests", "enqueued and undeliverable", "allowed queue period", "queue time", "time limit",
        "too old", "message age", "delivery delay", "temporarily undeliverable", "keep trying", "will try again",
        "remains undelivered", "not get a response", "lifetime", "not find a gateway",
    )),
    ("networkerror", (
        "connection lost", "connection reset", "connection closed", "connection refused", "connection was",
        "connection to", "connection failed", "connect failed", "connect to", "network", "unreachable", "no route",
        "lost connection", "not able to connect", "unable to connect", "can not connect", "not connect",
        "not able to establish", "unable to establish", "not establish", "not able to contact", "unable to contact",
        "can not contact", "dns lookup", "dns failure", "dns problem", "dns server", "socket", "broken pipe", "peer",
        "remote protocol error", "name server", "nameserver", "mail exchanger or ip",
    )),
    ("mailererror", (
        "pipe.", "command time", "exit status", "exited with", "exit code", "operating system error", "x unix",
    )),
    ("systemfull", (
        "mail system full", "system is full", "file system full", "system storage",
    )),
    ("policyviolation", (
        "policy", "policies", "prohibited", "violat", "administratively", "not permitted", "not authorized",
        "not authorised", "terms of service", "compliance", "guidelines", "not allowed",
    )),
    ("expired", (
        "been in the queue", "not going to try again",
    )),
    ("systemerror", (
        "system error", "system config", "system failure", "system problem", "system resources", "internal",
        "local error", "local configuration", "server error", "server config", "server busy", "server is busy",
        "temporary local", "temporary system", "temporary error", "temporary problem", "insufficient resources",
        "i o error", "service not", "service un", "service currently", "currently unavailable", "try again",
        "try later", "unexpected", "transaction failed", "ldap", "protocol error", "misconfigured",
        "interrupted system", "queue file", "can not create", "no mdb", "database", "several matches", "ambiguous",
        "can not open", "could not load", "permission denied", "can not lock", "waiting for input",
        "error in processing", "processing error", "local problem", "out of memory", "backend",
        "can not send email to yourself", "maintenance", "overload", "load too high", "unable to process",
    )),
    ("syntaxerror", (
        "syntax", "malformed", "domain missing", "expected word or", "not implemented", "unrecognized command",
        "unknown command", "sequence of commands", "bad sequence", "invalid command", "command not", "bad command",
        "need rcpt", "need mail", "parameter",
    )),
)  # fmt: skip
