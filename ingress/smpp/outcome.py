"""A message's cascade in the words of SMPP: message_state, the word of Appendix B, error code and final date."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from domain.cascade.commands import StatusChanged
from domain.cascade.states import FINAL, Cascade
from ingress.smpp.receipt_store import Settled
from schemas.codec import Codec, UnreadableError
from schemas.smpp.receipt import STATES
from schemas.smpp.smpp_time import format_absolute

NO_ERROR: Final = "000"
SOME_ERROR: Final = "001"
"""For a failure whose own code does not fit into the three characters of `err`."""
MAX_ERR: Final = 3
MAX_ERROR_CODE: Final = 255
VERSION_5: Final = 0x50


class Told(NamedTuple):
    """What query_sm_resp says of a message (4.8.2); `final_date` is empty until the end."""

    final_date: str
    message_state: int
    error_code: int


def stat_of(cascade: Cascade) -> str:
    """The state word (Appendix B); SCHEDULED stands for message_state 0 of query_sm_resp."""
    match cascade.state:
        case "delivered":
            return "DELIVRD"
        case "expired":
            return "EXPIRED"
        case "cancelled":
            return "DELETED"
        case "exhausted":
            return _failure(cascade)
        case "created" | "scheduled":
            return "SCHEDULED" if cascade.state == "scheduled" else "ACCEPTD"
        case "attempting" | "waiting_confirmation":
            return "ENROUTE"


def err_of(cascade: Cascade) -> str:
    """The carrier's own code of the last attempt when it has three characters at most."""
    if cascade.state == "delivered" or not cascade.is_final:
        return NO_ERROR
    code = next((a.code for a in reversed(cascade.attempts) if a.code), "")
    if code.isascii() and code.isalnum() and len(code) <= MAX_ERR:
        return code.rjust(MAX_ERR, "0")
    return SOME_ERROR


def told_of(cascade: Cascade, interface_version: int) -> Told:
    """The answer to query_sm; SCHEDULED is version 5's, older clients are told ENROUTE."""
    err = err_of(cascade)
    code = min(int(err), MAX_ERROR_CODE) if err.isdigit() else 1
    date = ""
    if cascade.state in FINAL:
        date = format_absolute(datetime.fromtimestamp(cascade.updated_at_ms / 1000, UTC))
    stat = stat_of(cascade)
    if stat == "SCHEDULED" and interface_version < VERSION_5:
        stat = "ENROUTE"
    return Told(date, STATES[stat], code)


def settled_of(changes: Iterable[StatusChanged], codec: Codec) -> list[Settled]:
    """What these changes settle: a message's end its receipt, its sending the intermediate notification."""
    found: dict[tuple[str, str, str], Settled] = {}
    for change in changes:
        name = change.tenant_id, change.message_id
        if change.final:
            stat, err = _end_of(change, codec)
            found[*name, "final"] = Settled(*name, "final", stat, err, change.at_ms)
        elif change.event == "sent":
            found.setdefault((*name, "intermediate"), Settled(*name, "intermediate", "ENROUTE", NO_ERROR, change.at_ms))
    return list(found.values())


def _end_of(change: StatusChanged, codec: Codec) -> tuple[str, str]:
    """State word and error code; UNKNOWN for a row that this process cannot read: the client is told that it ended."""
    try:
        cascade = codec.decode(change.cascade)
    except UnreadableError:
        cascade = None
    return (stat_of(cascade), err_of(cascade)) if isinstance(cascade, Cascade) else ("UNKNOWN", SOME_ERROR)


def _failure(cascade: Cascade) -> str:
    """Why nobody was reached: refused, not answered in time, or not deliverable."""
    last = cascade.attempts[-1] if cascade.attempts else None
    if last is None:
        return "REJECTD"
    if last.state == "timed_out" or last.code == "expired":
        return "EXPIRED"
    return "REJECTD" if last.code == "rejected" else "UNDELIV"
