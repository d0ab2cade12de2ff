"""How many submit_sm a second our SMPP codec encodes and decodes, on one core."""

import time
from typing import Final

from schemas.smpp import codec
from schemas.smpp.commands import SUBMIT_SM
from schemas.smpp.pdu import ShortMessage
from streams.bench.result import BenchError, Line, Result, Wanted

PDUS_A_ROUND: Final = 1_000
CPU_UNIT: Final = "CPU µs a PDU"

SUBMIT: Final = ShortMessage(
    SUBMIT_SM, 0, 1, source_addr_ton=5, source_addr="Hermes", dest_addr_ton=1, dest_addr_npi=1,
    destination_addr="4520123456", registered_delivery=1, short_message=b"Your parcel is here. Track it at example.com/t/1",
)  # fmt: skip


def run(wanted: Wanted) -> Result:
    """Encode and decode the same submit_sm for as long as is wanted; CPU time counts."""
    frame = codec.encode(SUBMIT)
    if codec.decode(frame) != SUBMIT:
        raise BenchError("the codec does not read what it wrote")
    encode_s = decode_s = 0.0
    pdus = 0
    until = time.perf_counter() + wanted.seconds
    while not pdus or time.perf_counter() < until:
        began = time.process_time()
        for _ in range(PDUS_A_ROUND):
            codec.encode(SUBMIT)
        between = time.process_time()
        for _ in range(PDUS_A_ROUND):
            codec.decode(frame)
        encode_s += between - began
        decode_s += time.process_time() - between
        pdus += PDUS_A_ROUND
    return Result(
        "codec",
        f"SMPP submit_sm of {len(frame)} octets, CPU time of one core",
        (
            Line("encode", pdus / encode_s, "PDU/s"),
            Line("decode", pdus / decode_s, "PDU/s"),
            Line("encode and decode", pdus / (encode_s + decode_s), "PDU/s"),
            Line("encode and decode", (encode_s + decode_s) * 1e6 / pdus, CPU_UNIT),
        ),
    )
