"""Runs the codec over a file of published SMPP cases: PDUs, receipts, alphabets, headers and id pairs with their readings."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from schemas.smpp import conformance_pdu, receipt, udh
from schemas.smpp.text import decode, decode_gsm7, encode_gsm7, invalid_gsm7, unpack

Case = dict[str, Any]  # as the file has it: name, hex, expect
Result = tuple[str, bool, str]

NEAR: Final = datetime(2020, 1, 1, tzinfo=UTC)  # receipts of the file are from about then


def run(path: Path) -> list[Result]:
    """Name, passed and what differed (empty if nothing) of every case in the file, in order."""
    cases: list[Case] = json.loads(path.read_text(encoding="utf-8"))
    return [_judge(case) for case in cases]


def _judge(case: Case) -> Result:
    expect: Case = case["expect"]
    check = _CHECKS.get(expect["kind"])
    if check is None:
        return case["name"], False, f"no check for {expect['kind']}"
    try:
        differences = list(check(bytes.fromhex(case["hex"]), expect))
    except (LookupError, ValueError) as error:  # a case of a shape not foreseen, or one that we cannot encode
        differences = [f"{type(error).__name__}: {error}"]
    return case["name"], not differences, "; ".join(differences)


def _check_receipt(octets: bytes, expect: Case) -> Iterator[str]:
    found = receipt.parse_text(octets.decode("latin-1"), NEAR)
    for name in ("id", "stat", "err", "sub", "dlvrd", "text"):
        if name in expect and getattr(found, name) != expect[name]:
            yield f"{name}: {getattr(found, name)!r}"
    for name in ("submit", "done"):
        if name in expect:
            value: datetime | None = getattr(found, name)
            wanted = expect[name] and datetime.fromisoformat(expect[name]).replace(tzinfo=UTC)
            if value != wanted:
                yield f"{name}: {value}"
    if "message_state" in expect and found.state != expect["message_state"]:
        yield f"message_state: {found.state}"


def _check_text(octets: bytes, expect: Case) -> Iterator[str]:
    charset = expect["charset"]
    if "invalid_at" in expect:
        if invalid_gsm7(octets).hex() != expect["invalid_at"]:
            yield f"invalid: {invalid_gsm7(octets).hex()}"
        return
    match charset:
        case "gsm0338":
            found = decode_gsm7(octets)
            if decode_gsm7(encode_gsm7(found)) != found:
                yield f"encoded: {encode_gsm7(found).hex()}"
        case "gsm0338-packed":
            found = decode_gsm7(unpack(octets))
        case _:
            found = _by_data_coding(octets, charset)
    if found != expect["text"]:
        yield f"text: {found!r}"


def _by_data_coding(octets: bytes, charset: str) -> str:
    """The charset's data_coding, through the same door as a message's octets."""
    codings = {"ascii": 1, "latin-1": 3, "latin1": 3, "iso8859-5": 6, "iso8859-8": 7, "utf-16-be": 8, "ucs2": 8}
    coding = codings.get(charset.lower())
    return octets.decode(charset, "replace") if coding is None else decode(octets, coding) or ""


def _check_udh(octets: bytes, expect: Case) -> Iterator[str]:
    yield from conformance_pdu.compare_udh(udh.parse(octets), expect["udh"])


def _check_pair(_octets: bytes, expect: Case) -> Iterator[str]:
    matches = receipt.same_message(expect["submit_sm_resp_or_tlv_id"], expect["dlr_id"])
    if matches is not expect["must_match"]:
        yield f"match: {matches}"


_CHECKS: Final[dict[str, Callable[[bytes, Case], Iterator[str]]]] = {
    "pdu": conformance_pdu.check,
    "dlr_text": _check_receipt,
    "text": _check_text,
    "udh": _check_udh,
    "msgid_pair": _check_pair,
}
