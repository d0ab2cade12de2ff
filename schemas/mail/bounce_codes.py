"""Codes of single providers that mean one thing whatever stands beside them, as their help pages explain them."""

import re
from typing import Final

from schemas.mail.bounce_types import Reason

_CODE: Final = re.compile(
    r"\b(?P<facebook>(?:pol|int|msg|rcp|dns|con)-[pt]\d{1,2})\b"
    r"|\b(?:ofr|lpn)\w{0,8}_(?P<orange>\d{3})\b"
    r"|aup#(?P<cox>cx[a-z]{2,6}|cdrbl|snd[a-z]{0,4}|ip[a-z]{2}[01]{0,4})"
    r"|aup#(?:in|out)-(?P<charter>\d{4})"
    r"|\[?\b(?P<yahoo>tss\d\d|ts\d\d|ipts\d\d|bl\d\d|ph\d\d|cont\d\d)\b(?=[\])\s])"
    r"|\b(?P<comcast>(?:rl|ph|bl|dm|cm|as)\d{6})\b"
    r"|\b(?P<hotmail>(?:sc|dy|rp)-00\d)\b"
    r"|\b(?P<godaddy>ib\d{3})\b"
    r"|\((?P<ims>000[0-9a-f]{5})\)"
    r"|\b(?P<exchange>(?:smtpsend\.dns|resolver\.(?:adr|rst)|queue)\.[a-z]{3,40})"
    r"|\(state (?P<gmail>\d\d)\)"
)
_FACEBOOK: Final[dict[str, Reason]] = {
    "pol-p1": "blocked", "pol-p2": "blocked", "pol-p3": "blocked", "pol-p4": "blocked", "pol-p5": "virusdetected",
    "pol-p6": "spamdetected", "pol-p7": "authfailure", "pol-p8": "policyviolation", "int-p1": "userunknown",
    "int-p2": "mesgtoobig", "int-p3": "userunknown", "int-p4": "userunknown", "msg-p1": "mesgtoobig",
    "msg-p2": "contenterror", "msg-p3": "notcompliantrfc", "rcp-p1": "userunknown", "rcp-p2": "filtered",
    "rcp-p3": "filtered", "rcp-t1": "systemerror", "rcp-t2": "toomanyconn", "rcp-t4": "suspend", "dns-p1": "rejected",
    "dns-p2": "rejected", "dns-p3": "requireptr", "dns-t1": "rejected", "con-t1": "toomanyconn", "con-t3": "blocked",
    "int-t1": "systemerror", "int-t2": "systemerror", "int-t3": "systemerror", "int-t4": "systemerror",
}  # fmt: skip
_ORANGE: Final[dict[str, Reason]] = {
    "101": "blocked", "102": "blocked", "103": "blocked", "104": "toomanyconn", "105": "blocked", "107": "blocked",
    "108": "blocked", "109": "blocked", "201": "blocked", "305": "toomanyconn", "401": "requireptr", "402": "requireptr",
    "403": "rejected", "405": "rejected", "415": "rejected", "416": "userunknown", "417": "mailboxfull",
    "418": "userunknown", "420": "suspend", "421": "rejected", "501": "spamdetected", "506": "spamdetected",
    "510": "blocked", "513": "mesgtoobig", "514": "mesgtoobig", "515": "mesgtoobig", "999": "blocked",
}  # fmt: skip
_COX: Final[dict[str, Reason]] = {
    "cxbl": "blocked", "cdrbl": "blocked", "cxthrt": "securityerror", "cxmj": "toomanyconn", "cxcnct": "toomanyconn",
    "cxmxrt": "toomanyconn", "cxdns": "requireptr", "cxsndr": "rejected", "cxsmtp": "notcompliantrfc",
}  # fmt: skip
_CHARTER: Final[dict[str, Reason]] = {
    "1000": "blocked", "1010": "blocked", "1020": "blocked", "1090": "systemerror", "1120": "blocked", "1190": "blocked",
    "1200": "blocked", "1210": "blocked", "1220": "blocked", "1230": "blocked", "1240": "blocked", "1250": "blocked",
    "1260": "blocked", "1300": "toomanyconn", "1310": "toomanyconn", "1320": "toomanyconn", "1330": "toomanyconn",
    "1350": "toomanyconn", "1500": "notcompliantrfc", "1520": "mesgtoobig", "1530": "mesgtoobig", "1540": "mesgtoobig",
    "1580": "spamdetected", "1600": "authfailure", "3110": "blocked",
}  # fmt: skip
_YAHOO: Final[dict[str, Reason]] = {
    "tss": "badreputation", "ipts": "badreputation", "ts": "badreputation", "bl": "blocked", "ph": "policyviolation",
    "cont": "spamdetected",
}  # fmt: skip
_COMCAST: Final[dict[str, Reason]] = {
    "rl": "toomanyconn", "ph": "policyviolation", "bl": "blocked", "dm": "authfailure", "cm": "spamdetected",
    "as": "spamdetected",
}  # fmt: skip
_HOTMAIL: Final[dict[str, Reason]] = {"sc": "blocked", "dy": "blocked", "rp": "toomanyconn"}
_GODADDY: Final[dict[str, Reason]] = {"ib1": "blocked", "ib2": "blocked", "ib4": "securityerror", "ib6": "blocked"}
_GODADDY_EXACT: Final[dict[str, Reason]] = {
    "ib212": "spamdetected", "ib401": "securityerror", "ib404": "securityerror", "ib501": "blocked", "ib502": "spamdetected",
    "ib504": "spamdetected", "ib505": "spamdetected", "ib506": "spamdetected", "ib508": "spamdetected",
    "ib510": "toomanyconn", "ib511": "toomanyconn", "ib605": "spamdetected",
}  # fmt: skip
_IMS: Final[dict[str, Reason]] = {
    "000c05a6": "userunknown", "000c0595": "filtered", "00010256": "systemerror", "000d06b5": "systemerror",
    "00120270": "networkerror", "00050311": "contenterror", "000502cc": "contenterror", "000b0981": "securityerror",
}  # fmt: skip
"""The MTS codes of Exchange's Internet Mail Service."""
_EXCHANGE: Final[dict[str, Reason]] = {
    "nonexistentdomain": "hostunknown", "mxloopback": "networkerror", "badprimary": "systemerror",
    "recipnotfound": "userunknown", "recipientnotfound": "userunknown",
    "exrecipnotfound": "userunknown", "reciplimit": "toomanyconn",
    "invalidinsmtp": "systemerror", "ambiguous": "systemerror", "authrequired": "securityerror",
    "notauthorized": "rejected", "sendernotauthenticatedforgroup": "rejected",
    "sendernotauthenticatedformailbox": "rejected", "recipsizelimit": "exceedlimit", "expired": "expired",
}  # fmt: skip
_GMAIL: Final[dict[str, Reason]] = {"15": "filtered", "16": "filtered", "17": "filtered", "18": "filtered"}
"""Gmail's state at the refusal: these come after DATA."""

# Exchange Online gives details of three digits that nobody else uses (RFC 3463 has none above 99 there).
_MICROSOFT: Final[dict[str, Reason]] = {
    "1.20": "notcompliantrfc", "1.90": "toomanyconn", "2.121": "toomanyconn", "2.122": "toomanyconn", "4.300": "expired",
    "4.310": "hostunknown", "4.312": "networkerror", "4.316": "expired", "4.317": "networkerror", "4.14": "networkerror",
    "6.11": "contenterror", "7.12": "rejected", "7.57": "securityerror", "7.64": "norelaying", "7.123": "rejected",
    "7.124": "rejected", "7.129": "rejected", "7.133": "rejected", "7.134": "rejected", "7.136": "rejected",
    "7.193": "rejected", "7.501": "spamdetected", "7.502": "blocked", "7.503": "blocked", "7.504": "filtered",
    "7.505": "filtered", "7.506": "blocked", "7.507": "rejected", "7.508": "toomanyconn", "7.509": "authfailure",
    "7.510": "filtered", "7.511": "blocked", "7.512": "notcompliantrfc", "7.513": "rejected", "7.515": "authfailure",
    "7.520": "securityerror", "7.650": "badreputation", "7.705": "toomanyconn", "7.708": "blocked", "7.750": "securityerror",
}  # fmt: skip
_BANNED_ADDRESSES: Final = re.compile(r"7\.(?:5[0-9]|6[0-9]|8[5-9])\d")


def by_code(said: str) -> Reason | None:
    """The reason that a provider's code in `said`, in lower case, stands for; None for none that is known."""
    for found in _CODE.finditer(said):
        match found.lastgroup, found[found.lastgroup or 0]:
            case "facebook", code:
                reason = _FACEBOOK.get(code)
            case "orange", code:
                reason = _ORANGE.get(code)
            case "cox", code:
                reason = (
                    "blocked" if code.startswith("ip") else "rejected" if code.startswith("snd") else _COX.get(code)
                )
            case "charter", code:
                reason = _CHARTER.get(code)
            case "yahoo", code:
                reason = _YAHOO[code.rstrip("0123456789")]
            case "comcast", code:
                reason = _COMCAST[code[:2]]
            case "hotmail", code:
                reason = _HOTMAIL[code[:2]]
            case "ims", code:
                reason = _IMS.get(code)
            case "exchange", code:
                reason = _EXCHANGE.get(code.rpartition(".")[2])
            case "gmail", code:
                reason = _GMAIL.get(code)
            case _, code:
                reason = _GODADDY_EXACT.get(code) or _GODADDY.get(code[:3])
        if reason:
            return reason
    return None


def by_detail(detail: str) -> Reason | None:
    """The reason that a detail which only Exchange Online gives stands for (`7.509` of a status); None for any other."""
    return _MICROSOFT.get(detail) or ("blocked" if _BANNED_ADDRESSES.fullmatch(detail) else None)
