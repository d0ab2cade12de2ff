"""The SMPP server's session as a target: the real state machine, fed in pieces, with no socket under it."""

import asyncio
from typing import Final

from ingress.smpp.binding import Gatekeeper
from ingress.smpp.binds import Binds
from ingress.smpp.joining import Joiner
from ingress.smpp.meter import SilentMeter
from ingress.smpp.pump import ReceiptPump
from ingress.smpp.queries import Queries
from ingress.smpp.recent import Recent
from ingress.smpp.registrar import Registrar
from ingress.smpp.requests import Requests
from ingress.smpp.session import Session
from ingress.smpp.settings import AccountProfile, SmppServerSettings
from ingress.smpp.shared import Shared
from ingress.smpp.submit import Submitter
from ingress.smpp.tasks import Tasks
from schemas.smpp import codec
from schemas.smpp import commands as c
from schemas.smpp.framing import Splitter
from schemas.smpp.pdu import Broken, Pdu, ShortMessage
from streams.fuzz import pdus, stand_ins
from streams.fuzz.target import Target, expect

MAX_PIECES: Final = 5
MAX_TURNS: Final = 3_000
SETTINGS: Final = SmppServerSettings(
    refused_close_ms=0,
    unbind_timeout_ms=0,
    profile=AccountProfile(packed=True, country_code="45", vendor_statuses=True),
)


async def session_target(octets: bytes) -> None:
    """Whatever comes, the session answers with whole PDUs, fails in no task, and leaves nothing behind."""
    shared = _shared()
    session = Session(shared)
    transport = stand_ins.MemoryTransport(session.connection)
    session.connection.connection_made(transport)
    pieces = 1 + len(octets) % MAX_PIECES
    for number in range(pieces):
        session.connection.data_received(octets[len(octets) * number // pieces : len(octets) * (number + 1) // pieces])
        await asyncio.sleep(0)
    idle = await stand_ins.settled(lambda: not len(shared.tasks) and not shared.in_flight, MAX_TURNS)
    expect(idle, "every request is answered")
    session.tick(session.connection.now_ms())
    session.connection.abort()
    gone = await stand_ins.settled(lambda: not shared.sessions, MAX_TURNS)
    expect(gone, "the session is gone")
    await shared.tasks.finish(0)
    if shared.tasks.failure.done():
        raise shared.tasks.failure.result()
    expect(shared.binds.bound == 0 and shared.binds.unbound == 0, "no bind is left behind")
    _well_formed(bytes(transport.written))


def _well_formed(written: bytes) -> None:
    splitter = Splitter()
    for frame in splitter.feed(written):
        expect(not isinstance(codec.decode(frame), Broken), "what we send can be read")
    expect(splitter.broken is None and splitter.pending == 0, "we send whole PDUs")


def _shared() -> Shared:
    """What a server shares among its sessions, with stand-ins behind it."""
    loop = asyncio.get_running_loop()

    def now_ms() -> int:
        return int(loop.time() * 1_000)

    def clock() -> int:
        return stand_ins.NOW_MS

    desk, receipts, table, tasks = stand_ins.AcceptingDesk(), stand_ins.NoReceipts(), stand_ins.config(), Tasks()
    binds, recent, meter = Binds(SETTINGS, now_ms), Recent(now_ms), SilentMeter()
    submitter = Submitter(SETTINGS, desk, table, Registrar(receipts, tasks), recent, clock, stand_ins.numbers())
    joiner = Joiner(SETTINGS, stand_ins.MemoryParts(), receipts, submitter, clock)
    return Shared(
        SETTINGS,
        binds,
        Gatekeeper(SETTINGS, stand_ins.resolve, table, binds, clock),
        Requests(submitter, joiner, Queries(desk, recent, SETTINGS.answer_timeout_ms)),
        ReceiptPump(receipts, binds, SETTINGS, clock, meter),
        tasks,
        meter,
    )


_BIND: Final = codec.encode(Pdu(c.BIND_TRANSCEIVER, 0, 1, {"system_id": stand_ins.USER, "password": stand_ins.WORD}))
_SUBMIT: Final = codec.encode(
    ShortMessage(sequence=2, source_addr="Acme", dest_addr_ton=1, dest_addr_npi=1, destination_addr="4512345678",
                 registered_delivery=1, short_message=b"Hello")
)  # fmt: skip
_PARTS: Final = b"".join(
    codec.encode(ShortMessage(sequence=2 + n, dest_addr_ton=1, destination_addr="4512345678", esm_class=0x40,
                              short_message=bytes((5, 0, 3, 9, 2, n, 65))))
    for n in (1, 2)
)  # fmt: skip
SESSION_TARGET: Final = Target(
    "smpp-session",
    session_target,
    (
        _BIND + _SUBMIT,
        _BIND + _PARTS,
        _BIND + _SUBMIT * 3 + codec.header_only(c.ENQUIRE_LINK, 0, 9) + codec.header_only(c.UNBIND, 0, 10),
        _SUBMIT,
        codec.header_only(c.ENQUIRE_LINK, 0, 1),
    ),
    (b"\0\0\0\x10", b"\0\0\0\x06\0\0\0\0", b"\0\0\0\x09\0\0\0\0", b"\x04\x24\0\x02ab", b"\xff\xff\xff\xff"),
    pdus.stream,
)
