"""What a bounce may be due to, and the form of the rules that tell it."""

from typing import Literal

Reason = Literal[
    "userunknown", "hostunknown", "hasmoved", "notaccept", "mailboxfull", "filtered", "suspend", "onhold", "expired",
    "networkerror", "toomanyconn", "speeding", "exceedlimit", "mesgtoobig", "blocked", "badreputation", "requireptr",
    "authfailure", "spamdetected", "virusdetected", "contenterror", "policyviolation", "notcompliantrfc", "rejected",
    "norelaying", "securityerror", "mailererror", "systemerror", "systemfull", "syntaxerror", "failedstarttls",
    "delivered", "feedback", "vacation", "undefined",
]  # fmt: skip

Rules = tuple[tuple[Reason, tuple[str, ...]], ...]
