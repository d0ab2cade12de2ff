"""The SMPP code as targets: frames, receipts' text, alphabets, user data headers, times."""

from datetime import UTC, datetime
from typing import Final

from schemas.smpp import codec, commands, receipt, smpp_time, text, udh
from schemas.smpp.framing import HEADER_OCTETS, Splitter
from schemas.smpp.pdu import Broken, Decoded, MessageAck, Pdu, ShortMessage
from schemas.smpp.submit_check import check, check_multi
from streams.fuzz import pdus
from streams.fuzz.target import Target, expect

NOW: Final = datetime(2026, 11, 24, 9, tzinfo=UTC)
_RECEIPT: Final = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2611240900 done date:2611240901 stat:DELIVRD err:000 text:Hello"
)


def codec_target(octets: bytes) -> None:
    """What can be read is written the same; what cannot has a well-formed answer."""
    for frame in Splitter().feed(octets):
        pdu = codec.decode(frame)
        answer = codec.fault_reply(pdu)
        expect(answer is None or len(answer) == HEADER_OCTETS, "an answer to a fault is a header")
        if isinstance(pdu, Broken):
            continue
        _use(pdu)
        try:
            again = codec.encode(pdu)
        except ValueError:
            message = (
                pdu.short_message if isinstance(pdu, ShortMessage) else pdu.fields if isinstance(pdu, Pdu) else b""
            )
            long = isinstance(message, bytes) and len(message) > codec.MAX_SHORT_MESSAGE_OCTETS
            expect(long, "what was read can be written")
            continue
        if pdu.command_id in commands.COMMANDS:
            expect(_same(pdu, codec.decode(again)), "read and written, it reads the same")


def _same(pdu: ShortMessage | MessageAck | Pdu, again: Decoded) -> bool:
    """A response may leave its last fields out; written, they are empty or zero."""
    if isinstance(pdu, Pdu) and isinstance(again, Pdu):
        again = again._replace(fields={name: value for name, value in again.fields.items() if name in pdu.fields})
    return again == pdu


def _use(pdu: ShortMessage | MessageAck | Pdu) -> None:
    if isinstance(pdu, ShortMessage):
        check(pdu, NOW)
        receipt.read(pdu, NOW)
        receipt.text_of(pdu)
    elif isinstance(pdu, Pdu) and pdu.command_id == commands.SUBMIT_MULTI:
        check_multi(pdu, NOW)


def receipt_target(octets: bytes) -> None:
    """Any text is a receipt or none; ids have candidates."""
    found = receipt.parse_text(octets.decode("latin-1"), NOW)
    if found.id:
        expect(receipt.same_message(found.id, found.id) or not found.id.strip(), "an id is the same as itself")


def text_target(octets: bytes) -> None:
    """Every alphabet gives a text that can be encoded; GSM text survives the way there and back."""
    for coding in (0, 1, 3, 4, 8, 0xF4):
        text.decode(octets, coding, single=len(octets) % 14)
    septets = bytes(octet & 0x7F for octet in octets)
    expect(text.unpack(text.pack(septets), len(septets)) == septets, "packed and unpacked, septets are the same")
    written = text.decode_gsm7(septets)
    if not text.invalid_gsm7(septets):
        expect(text.decode_gsm7(text.encode_gsm7(written)) == written, "GSM text survives")


def udh_target(octets: bytes) -> None:
    """A header is read or not."""
    udh.parse(octets)


def time_target(octets: bytes) -> None:
    """A time is read or not."""
    written = octets.decode("latin-1")
    smpp_time.parse(written, NOW)
    smpp_time.parse_receipt_date(written, NOW)


def _framed(command_id: int, body: bytes) -> bytes:
    return b"".join(n.to_bytes(4, "big") for n in (HEADER_OCTETS + len(body), command_id, 0, 1)) + body


_SUBMIT: Final = codec.encode(
    ShortMessage(source_addr="Hermes", destination_addr="4512345678", short_message=b"Hello", tlvs=((0x0424, b"Hi"),))
)
_DELIVER: Final = codec.encode(
    ShortMessage(commands.DELIVER_SM, esm_class=4, short_message=_RECEIPT, tlvs=((0x001E, b"01\0"), (0x0427, b"\2")))
)
SMPP_TARGETS: Final = (
    Target(
        "smpp-codec",
        codec_target,
        (_SUBMIT, _DELIVER, _SUBMIT + _DELIVER, _framed(commands.SUBMIT_MULTI, b"\0\0\0\0\1\1\1\1" + b"1\0" * 9)),
        (b"\x04\x24\xff\xff", b"\x02\x0c\x00\x02\x00\x01", b"\0\0\0\x10", b"\xff\xff\xff\xff"),
        pdus.frame,
    ),
    Target(
        "receipt",
        receipt_target,
        (_RECEIPT, _RECEIPT.upper(), b"stat:UNDELIV id:a-b", b"DELIVRD", b"id:" * 40, _RECEIPT.replace(b" ", b"\0")),
        (b"id:", b"stat:", b"err:", b"text:", b"submit date:", b"done date:", b"EXPIRED", b"2611240901", b" " * 200),
    ),
    Target(
        "gsm-text", text_target, (b"Hello \x1be\x00", bytes(range(128)), b"\x1b" * 20, "Grüße €".encode("utf-16-be"))
    ),
    Target(
        "udh",
        udh_target,
        (
            udh.concat8(1, 3, 2) + b"x",
            udh.concat16(1, 3, 2),
            b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x01\x02\x01",
            b"\x00",
        ),
    ),
    Target(
        "smpp-time", time_target, (b"261124090000000+", b"000001000000000R", b"2611240901", b"26-11-24 09:01:02", b"")
    ),
)
