"""User data headers."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.smpp.udh import Concat, concat8, concat16, parse


@given(st.integers(0, 0xFFFF), st.integers(1, 255), st.data())
def test_concatenation_comes_back(ref: int, total: int, data: st.DataObject) -> None:
    seq = data.draw(st.integers(1, total))
    short, wide = parse(concat8(ref, total, seq) + b"rest"), parse(concat16(ref, total, seq) + b"rest")
    assert short is not None
    assert wide is not None
    assert (short.octets, wide.octets) == (6, 7)
    assert short.concat == Concat(ref & 0xFF, 8, total, seq)
    assert wide.concat == Concat(ref, 16, total, seq)


@given(st.binary(max_size=60))
def test_no_octets_make_parsing_fail(octets: bytes) -> None:
    header = parse(octets)
    if header is not None:
        assert header.octets <= len(octets)
        assert sum(len(data) + 2 for _, data in header.ies) == octets[0]


def test_ports_and_shifts_are_found_among_other_elements() -> None:
    header = parse(bytes.fromhex("0f05040b8423f0240103250102700122"))
    assert header is not None
    assert (header.ports, header.single_shift, header.locking_shift) == ((2948, 9200), 3, 2)
    assert header.concat is None


def test_a_part_beyond_the_total_is_no_concatenation() -> None:
    for broken in (concat8(1, 2, 3), concat8(1, 2, 0)):
        header = parse(broken)
        assert header is not None
        assert header.concat is None
