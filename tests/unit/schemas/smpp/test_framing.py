"""Frames out of a stream."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.smpp.framing import MAX_PDU_OCTETS, BadLength, Splitter


def frame(body: bytes) -> bytes:
    return (16 + len(body)).to_bytes(4, "big") + bytes(12) + body


@given(st.lists(st.binary(max_size=60), max_size=8), st.lists(st.integers(1, 40), min_size=1, max_size=40))
def test_however_the_stream_is_cut_the_frames_are_the_same(bodies: list[bytes], sizes: list[int]) -> None:
    frames = [frame(body) for body in bodies]
    stream = b"".join(frames)
    splitter = Splitter()
    found: list[bytes] = []
    step = 0
    while stream:
        size = sizes[step % len(sizes)]
        found += splitter.feed(stream[:size])
        stream = stream[size:]
        step += 1
    assert found == frames
    assert splitter.pending == 0
    assert splitter.broken is None


def test_whole_frames_before_a_broken_length_are_still_given() -> None:
    splitter = Splitter()
    assert splitter.feed(frame(b"a") + bytes.fromhex("0000000f000000060000000000000007")) == [frame(b"a")]
    assert splitter.broken == BadLength(15, 7)
    assert splitter.feed(frame(b"b")) == []


def test_a_broken_length_with_less_than_a_header_is_answered_with_sequence_zero() -> None:
    splitter = Splitter()
    splitter.feed(b"HTTP/1.1")
    assert splitter.broken == BadLength(0x48545450, 0)


def test_the_limit_holds_before_the_octets_are_there() -> None:
    splitter = Splitter()
    splitter.feed(MAX_PDU_OCTETS.to_bytes(4, "big"))
    assert splitter.broken is None
    assert splitter.pending == 4
    splitter = Splitter(limit=1024)
    splitter.feed((1025).to_bytes(4, "big"))
    assert splitter.broken == BadLength(1025, 0)
