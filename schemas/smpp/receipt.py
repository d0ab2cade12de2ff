"""Delivery receipts: what a deliver_sm says of a message sent earlier, in TLVs or in text, and the text we write.

The text (Appendix B) is a convention that no two carriers keep alike: keys in any order and case, dates of three lengths,
states of six to eight letters, fields left out, cut short or followed by NULs. TLVs, where there are any, are believed first.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.delivery import ReceiptStatus
from schemas.smpp import udh
from schemas.smpp.pdu import (
    ESM_INTERMEDIATE,
    ESM_RECEIPT,
    ESM_TYPE_MASK,
    ESM_UDHI,
    TLV_MESSAGE_PAYLOAD,
    TLV_MESSAGE_STATE,
    TLV_NETWORK_ERROR_CODE,
    TLV_RECEIPTED_MESSAGE_ID,
    ShortMessage,
    tlv,
)
from schemas.smpp.smpp_time import parse_receipt_date
from schemas.smpp.text import UCS2

MAX_TEXT_CHARACTERS: Final = 1_024  # a receipt is 150 characters; nothing behind this is looked at
MAX_ID_CHARACTERS: Final = 65  # receipted_message_id, 5.3.2.12
MAX_ERROR_CHARACTERS: Final = 16
QUOTED_CHARACTERS: Final = 20  # of the message, in a receipt's text
UNKNOWN_STATE: Final = 7

# message_state (5.2.28) of each state word, with the words that occur beside those of Appendix B.
STATES: Final[dict[str, int]] = {
    "SCHEDULED": 0,
    "ENROUTE": 1,
    "BUFFRED": 1,
    "BUFFERD": 1,
    "BUFFERED": 1,
    "ACKED": 1,
    "DELIVRD": 2,
    "DELIVERED": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "UNDELIVERABLE": 5,
    "FAILED": 5,
    "ACCEPTD": 6,
    "ACCEPTED": 6,
    "UNKNOWN": UNKNOWN_STATE,
    "REJECTD": 8,
    "REJECTED": 8,
    "SKIPPED": 9,
}
_STATUS_OF_STATE: Final[dict[int, ReceiptStatus]] = {
    0: "enroute",
    1: "enroute",
    2: "delivered",
    3: "expired",
    4: "failed",
    5: "failed",
    6: "accepted",
    8: "rejected",
    9: "rejected",
}
_KEY = re.compile(r"(?<![A-Za-z0-9])(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text)\s?:", re.IGNORECASE)
_ERROR = re.compile(r"(?<![A-Za-z0-9])err\s?:\s?([A-Za-z0-9]{1,8})", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]{6,13}")


@dataclass(frozen=True, slots=True)
class ReceiptText:
    """The fields of the text as they were written, None for those it lacks; dates have the zone that was asked for."""

    id: str | None
    stat: str | None
    err: str | None
    sub: str | None
    dlvrd: str | None
    submit: datetime | None
    done: datetime | None
    text: str | None
    state: int | None  # of `stat`, or of a bare state word where the key is missing


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a deliver_sm reports; `state` is a message_state, `code` the carrier's own error."""

    id: str
    state: int
    code: str

    @property
    def status(self) -> ReceiptStatus:
        """The state in the pipeline's words."""
        return _STATUS_OF_STATE.get(self.state, "unknown")


def read(message: ShortMessage, near: datetime) -> Receipt | None:
    """The receipt in a deliver_sm, None when it is none (a mobile-originated message) or names no message."""
    kind = message.esm_class & ESM_TYPE_MASK
    is_receipt = kind in (ESM_RECEIPT, ESM_INTERMEDIATE)
    if kind and not is_receipt:
        return None
    state = tlv(message.tlvs, TLV_MESSAGE_STATE)
    id_octets = tlv(message.tlvs, TLV_RECEIPTED_MESSAGE_ID)
    message_id = id_octets.rstrip(b"\0").decode("latin-1").strip() if id_octets else ""
    text = text_of(message)
    if message_id and state:  # the usual case, and the text has nothing to add but the carrier's error
        error = _ERROR.search(text, 0, MAX_TEXT_CHARACTERS)
        return _receipt(message, message_id, state[-1], error[1] if error else "")
    written = parse_text(text, near)
    message_id = message_id or written.id or ""
    if not message_id or not (is_receipt or (written.id and written.stat)):
        return None
    return _receipt(message, message_id, state[-1] if state else written.state, written.err or "")


def _receipt(message: ShortMessage, message_id: str, state: int | None, error: str) -> Receipt:
    octets = tlv(message.tlvs, TLV_NETWORK_ERROR_CODE)
    code = _network_error(octets) if octets else error[:MAX_ERROR_CHARACTERS]
    return Receipt(message_id[:MAX_ID_CHARACTERS], UNKNOWN_STATE if state is None else state, code)


def text_of(message: ShortMessage) -> str:
    """The text of a deliver_sm or its message_payload, without a user data header; octets are read as latin-1 or UCS-2."""
    octets = message.short_message or tlv(message.tlvs, TLV_MESSAGE_PAYLOAD) or b""
    if message.esm_class & ESM_UDHI and (header := udh.parse(octets)):
        octets = octets[header.octets :]
    if message.data_coding == UCS2 and b"\0" in octets[:2]:
        return octets.decode("utf-16-be", "replace")
    return octets.decode("latin-1")


def parse_text(text: str, near: datetime) -> ReceiptText:
    """The fields of a receipt's text. The quoted message comes last and is not searched for keys already seen."""
    text = text[:MAX_TEXT_CHARACTERS].rstrip("\0")
    keys = _keys(text)
    found: dict[str, str] = {}
    for position, (name, _, start) in enumerate(keys):
        end = keys[position + 1][1] if position + 1 < len(keys) else len(text)
        found[name] = text[start:end].strip(" \t\r\n\0")
    stat = _token(found.get("stat"))
    word = stat if stat is not None else _bare_state(text[: _quote_start(keys, len(text))])
    return ReceiptText(
        id=_token(found.get("id")),
        stat=stat,
        err=_token(found.get("err")),
        sub=_token(found.get("sub")),
        dlvrd=_token(found.get("dlvrd")),
        submit=_date(found.get("submitdate"), near),
        done=_date(found.get("donedate"), near),
        text=found.get("text"),
        state=None if word is None else STATES.get(word.upper(), UNKNOWN_STATE),
    )


def _keys(text: str) -> list[tuple[str, int, int]]:
    """Name, start and end of each first key; behind `text:` only those count without which there is no receipt."""
    keys: list[tuple[str, int, int]] = []
    seen: set[str] = set()
    for match in _KEY.finditer(text):
        name = match[1].lower().replace(" ", "").replace("_", "")
        if name in seen or ("text" in seen and name not in ("id", "stat")):
            continue
        seen.add(name)
        keys.append((name, match.start(), match.end()))
    return keys


def _quote_start(keys: list[tuple[str, int, int]], default: int) -> int:
    return next((start for name, start, _ in keys if name == "text"), default)


def _token(value: str | None) -> str | None:
    words = value.split(maxsplit=1) if value else []
    return (words[0].strip(",;") or None) if words else None


def _bare_state(text: str) -> str | None:
    """A state word that stands alone where its key was forgotten, in a text that has at least one key."""
    if ":" not in text:
        return None
    return next((word for word in _WORD.findall(text) if word.upper() in STATES), None)


def _date(value: str | None, near: datetime) -> datetime | None:
    token = _token(value)
    return None if token is None else parse_receipt_date(token, near)


def _network_error(octets: bytes) -> str:
    """network_error_code (5.3.2.31): a network type and two octets; what has another shape is kept as hexadecimal."""
    return str(int.from_bytes(octets[1:], "big")) if len(octets) == 3 else octets[:8].hex()


def build_text(
    message_id: str,
    stat: str,
    submit: datetime,
    done: datetime,
    *,
    err: str = "000",
    quoted: str = "",
    delivered: int = 1,
) -> bytes:
    """The text of Appendix B, whole, as strict clients want it; the quoted message is cut to 20 ASCII characters."""
    quote = quoted[:QUOTED_CHARACTERS].encode("ascii", "replace").decode("ascii")
    return (
        f"id:{message_id} sub:001 dlvrd:{delivered:03d} submit date:{submit:%y%m%d%H%M} done date:{done:%y%m%d%H%M} "
        f"stat:{stat} err:{err} text:{quote}"
    ).encode("latin-1", "replace")


def candidates(message_id: str) -> tuple[str, ...]:
    """The ids under which the response may have named the message that a receipt calls `message_id`, best first.

    Verbatim, case-folded, without leading zeros, decimal written as hexadecimal, hexadecimal as decimal. The last two are
    guesses: take them only if they find exactly one message of the same carrier account.
    """
    folded = message_id.casefold()
    stripped = folded.lstrip("0") or folded
    found = [message_id, folded, stripped]
    if stripped.isascii() and stripped.isalnum() and len(stripped) <= MAX_ID_CHARACTERS:
        if stripped.isdigit():
            found.append(f"{int(stripped):x}")
        if all(character in "0123456789abcdef" for character in stripped):
            found.append(str(int(stripped, 16)))
    return tuple(dict.fromkeys(found))


def same_message(response_id: str, receipt_id: str) -> bool:
    """Whether a receipt's id may name the message of a response: their candidates meet in one of the response's spellings."""
    folded = response_id.casefold()
    spellings = {response_id, folded, folded.lstrip("0") or folded}
    return not spellings.isdisjoint(candidates(receipt_id))
