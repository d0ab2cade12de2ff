"""The states of a session, and which requests of an ESME each of them takes (SMPP 3.4 section 2.2 and table 2-1)."""

from typing import Final, Literal

from schemas.smpp import commands as c

State = Literal["open", "binding", "tx", "rx", "trx", "unbinding", "closed"]

BOUND: Final[frozenset[State]] = frozenset({"tx", "rx", "trx"})
RECEIVING: Final[frozenset[State]] = frozenset({"rx", "trx"})
STATE_OF_BIND: Final[dict[int, State]] = {
    c.BIND_TRANSMITTER: "tx",
    c.BIND_RECEIVER: "rx",
    c.BIND_TRANSCEIVER: "trx",
}

SENDING: Final = frozenset({c.SUBMIT_SM, c.SUBMIT_MULTI, c.DATA_SM})
_ALL: Final = SENDING | {c.QUERY_SM, c.CANCEL_SM, c.REPLACE_SM}
_TAKES: Final[dict[State, frozenset[int]]] = {
    "tx": _ALL,
    "rx": frozenset({c.DATA_SM}),
    "trx": _ALL,
}


def takes(state: State, command_id: int) -> bool:
    """Whether the request may be made now; binds, enquire_link and unbind are not asked about."""
    return command_id in _TAKES.get(state, ())
