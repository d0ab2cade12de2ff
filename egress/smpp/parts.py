"""An attempt becomes the submit_sm frames of one carrier: alphabet, addresses, and the way that it takes long messages."""

import re
from typing import Final

from domain.delivery import AttemptDue, Failed
from domain.sms import Encoding, cut, encoding_of
from egress.smpp.config import CarrierConfig
from schemas.smpp import udh
from schemas.smpp.codec import encode
from schemas.smpp.pdu import (
    ESM_UDHI,
    TLV_MESSAGE_PAYLOAD,
    TLV_SAR_MSG_REF_NUM,
    TLV_SAR_SEGMENT_SEQNUM,
    TLV_SAR_TOTAL_SEGMENTS,
    ShortMessage,
    Tlv,
)
from schemas.smpp.text import GSM7, UCS2, encode_gsm7, encode_ucs2

MAX_PARTS: Final = 255
MAX_PAYLOAD_OCTETS: Final = 64_000
TON_UNKNOWN: Final = 0
TON_INTERNATIONAL: Final = 1
TON_NETWORK: Final = 3
TON_ALPHANUMERIC: Final = 5
NPI_UNKNOWN: Final = 0
NPI_ISDN: Final = 1

_NUMBER = re.compile(r"\+?[0-9]{7,15}")
_SHORT_CODE = re.compile(r"[0-9]{1,6}")
_ALPHANUMERIC = re.compile(r"[\x20-\x7e\xa1-\xff]{1,11}")
_PRINTABLE = re.compile(r"[\x20-\x7e\xa1-\xff]{1,20}")
_E164 = re.compile(r"\+?[1-9][0-9]{6,14}")


def plan(attempt: AttemptDue, config: CarrierConfig, reference: int) -> tuple[bytes, ...] | Failed:
    """The frames to send in order, with sequence number zero; a refusal when the attempt cannot be put on this wire.

    `reference` marks the parts of this message; two messages to one number under way at once need different ones.
    """
    source = _source(attempt.sender, config)
    if source is None:
        return Failed(
            permanent=True, code="invalid_sender", detail="the sender is neither a number nor 1 to 11 characters"
        )
    if not _E164.fullmatch(attempt.address):
        return Failed(permanent=True, code="invalid_address", detail="the address is not E.164")
    contents = _contents(attempt.text, config, reference)
    if (
        not contents
        or len(contents) > MAX_PARTS
        or any(len(content) > MAX_PAYLOAD_OCTETS for _, content, _, _ in contents)
    ):
        return Failed(permanent=True, code="invalid_length", detail="the text is empty or longer than 255 parts")
    ton, npi, sender = source
    return tuple(
        encode(
            ShortMessage(
                source_addr_ton=ton,
                source_addr_npi=npi,
                source_addr=sender,
                dest_addr_ton=TON_INTERNATIONAL,
                dest_addr_npi=NPI_ISDN,
                destination_addr=attempt.address.removeprefix("+"),
                esm_class=esm_class,
                registered_delivery=config.registered_delivery,
                data_coding=coding,
                short_message=content,
                tlvs=tlvs,
            )
        )
        for coding, content, esm_class, tlvs in contents
    )


def _source(sender: str, config: CarrierConfig) -> tuple[int, int, str] | None:
    """TON, NPI and address by what the sender is: a number, a short code, a name, or nothing."""
    if not sender:
        return TON_UNKNOWN, NPI_UNKNOWN, ""
    if isinstance(config.source_ton, int):
        npi = NPI_UNKNOWN if config.source_ton == TON_ALPHANUMERIC else NPI_ISDN
        return (config.source_ton, npi, sender.removeprefix("+")) if _PRINTABLE.fullmatch(sender) else None
    if _NUMBER.fullmatch(sender):
        return TON_INTERNATIONAL, NPI_ISDN, sender.removeprefix("+")
    if _SHORT_CODE.fullmatch(sender):
        return TON_NETWORK, NPI_UNKNOWN, sender
    if _ALPHANUMERIC.fullmatch(sender) and encoding_of(sender) == "gsm7":
        return TON_ALPHANUMERIC, NPI_UNKNOWN, sender
    return None


Content = tuple[int, bytes, int, tuple[Tlv, ...]]  # data_coding, short_message, esm_class, TLVs


def _contents(text: str, config: CarrierConfig, reference: int) -> tuple[Content, ...]:
    if not text:
        return ()
    encoding = _encoding(text, config)
    wide = config.long_messages == "udh16"
    parts = cut(text, encoding, 16 if wide else 8)
    coding = UCS2 if encoding == "ucs2" else GSM7
    if len(parts) == 1:
        return ((coding, _octets(text, encoding, config), 0, ()),)
    if config.long_messages == "payload":
        return ((coding, b"", 0, ((TLV_MESSAGE_PAYLOAD, _octets(text, encoding, config)),)),)
    total = len(parts)
    if total > MAX_PARTS:
        return ()
    numbered = [(seq, _octets(part, encoding, config)) for seq, part in enumerate(parts, 1)]
    if config.long_messages == "sar":
        return tuple((coding, octets, 0, _sar(reference, total, seq)) for seq, octets in numbered)
    header = udh.concat16 if wide else udh.concat8
    return tuple((coding, header(reference, total, seq) + octets, ESM_UDHI, ()) for seq, octets in numbered)


def _encoding(text: str, config: CarrierConfig) -> Encoding:
    """GSM 7-bit where the carrier's default alphabet has every character too, else UCS-2."""
    encoding = encoding_of(text)
    if encoding == "gsm7" and config.default_alphabet != "gsm7" and not _fits(text, config.default_alphabet):
        return "ucs2"
    return encoding


def _fits(text: str, alphabet: str) -> bool:
    limit = 0x80 if alphabet == "ascii" else 0x100
    return all(ord(character) < limit for character in text)


def _octets(text: str, encoding: Encoding, config: CarrierConfig) -> bytes:
    if encoding == "ucs2":
        return encode_ucs2(text)
    return encode_gsm7(text) if config.default_alphabet == "gsm7" else text.encode("latin-1")


def _sar(reference: int, total: int, seq: int) -> tuple[Tlv, ...]:
    return (
        (TLV_SAR_MSG_REF_NUM, (reference & 0xFFFF).to_bytes(2, "big")),
        (TLV_SAR_TOTAL_SEGMENTS, bytes((total,))),
        (TLV_SAR_SEGMENT_SEQNUM, bytes((seq,))),
    )
